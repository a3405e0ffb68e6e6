package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const executions = "executions"

// send returns when the order is in the log. Idempotence, acks of all replicas and Java's
// partitioner are franz-go's defaults.
func send(ctx context.Context, o *options, framed []byte) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(o.bootstrap, ",")...))
	if err != nil {
		return err
	}
	defer client.Close()
	record := &kgo.Record{Topic: "orders", Key: []byte(o.user), Value: framed}
	if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return fmt.Errorf("the order was not acknowledged within %d s by %s: %w", o.timeout, o.bootstrap, err)
	}
	return nil
}

// partitionOf is where Java's default partitioner puts a key, and so where a user's reports come.
func partitionOf(key string, partitions int) int32 {
	topic := kgo.StickyKeyPartitioner(nil).ForTopic(executions)
	return int32(topic.Partition(&kgo.Record{Key: []byte(key)}, partitions))
}

// reports reads the committed reports of one user's partition.
type reports struct {
	options  *options
	registry *registry
	client   *kgo.Client
}

// openReports stands at the partition's end before anything is sent, or at its beginning to follow.
func openReports(ctx context.Context, o *options, schemas *registry) (*reports, error) {
	seeds := kgo.SeedBrokers(strings.Split(o.bootstrap, ",")...)
	client, err := kgo.NewClient(seeds, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return nil, err
	}
	admin := kadm.NewClient(client)
	list := admin.ListCommittedOffsets
	if o.follow {
		list = admin.ListStartOffsets
	}
	found, err := list(ctx, executions)
	if err == nil {
		err = found.Error()
	}
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("%s: topic %s: %w", o.bootstrap, executions, err)
	}
	partition := partitionOf(o.user, len(found[executions]))
	from, _ := found.Lookup(executions, partition)
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{
		executions: {partition: kgo.NewOffset().At(from.Offset)}})
	return &reports{o, schemas, client}, nil
}

func (r *reports) close() { r.client.Close() }

// follow prints the order's reports and returns the last one's status.
func (r *reports) follow(ctx context.Context) (string, error) {
	last := "none"
	for {
		fetches := r.client.PollFetches(ctx)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return last, fmt.Errorf("order %s was not over after %d s (--timeout); last status: %s",
				r.options.orderID, r.options.timeout, last)
		}
		if err := fetches.Err(); err != nil {
			return last, fmt.Errorf("%s: %w", executions, err)
		}
		for _, record := range fetches.Records() {
			if string(record.Key) != r.options.user {
				continue
			}
			var found executionReport
			if err := r.registry.decode(ctx, record.Value, readerSchema, &found); err != nil {
				return last, fmt.Errorf("%s [%d] %d: %w", executions, record.Partition, record.Offset, err)
			}
			if found.OrderID != r.options.orderID {
				continue
			}
			fmt.Println(found.line())
			last = found.Status
			if found.final() {
				return last, nil
			}
		}
	}
}
