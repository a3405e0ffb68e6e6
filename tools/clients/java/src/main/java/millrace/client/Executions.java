package millrace.client;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The committed reports of one user's partition. */
final class Executions implements AutoCloseable {
    private static final String TOPIC = "executions";

    private final Options options;
    private final Registry registry;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final long deadline;

    /** Stands at the partition's end before anything is sent, or at its beginning to follow. */
    Executions(Options options, Registry registry) {
        this.options = options;
        this.registry = registry;
        Duration timeout = Duration.ofSeconds(options.timeoutSeconds());
        deadline = System.nanoTime() + timeout.toNanos();
        Properties config = new Properties();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, options.bootstrap());
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
        config.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) Math.min(timeout.toMillis(), 30_000));
        consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        int partitions = consumer.partitionsFor(TOPIC).size();
        TopicPartition place = new TopicPartition(TOPIC, partitionOf(options.user(), partitions));
        consumer.assign(List.of(place));
        if (options.follow()) {
            consumer.seekToBeginning(List.of(place));
        } else {
            consumer.seek(place, consumer.endOffsets(List.of(place)).get(place));
        }
    }

    /** What the default partitioner does with a key. */
    static int partitionOf(String key, int partitions) {
        return BuiltInPartitioner.partitionForKey(key.getBytes(StandardCharsets.UTF_8), partitions);
    }

    /** Shows each report of the order; returns the last one's status. */
    String follow(Consumer<String> show) throws IOException, InterruptedException {
        String last = "none";
        while (System.nanoTime() < deadline) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                if (!new String(record.key(), StandardCharsets.UTF_8).equals(options.user())) {
                    continue;
                }
                Report report = new Report(Wire.decode(registry, record.value(), Report.SCHEMA));
                if (report.orderId().equals(options.orderId())) {
                    show.accept(report.line());
                    last = report.status();
                    if (report.isFinal()) {
                        return last;
                    }
                }
            }
        }
        throw new IOException("order " + options.orderId() + " was not over after " + options.timeoutSeconds()
                + " s (--timeout); last status: " + last);
    }

    @Override
    public void close() {
        consumer.close(Duration.ofSeconds(1));
    }
}
