// Places a limit order and prints its execution reports until it is over.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

type options struct {
	bootstrap, registry, user, symbol, side, orderID string
	qty, price                                       amount
	follow                                           bool
	timeout                                          int
}

const (
	exitNo     = 1
	exitMisuse = 2
)

func parseOptions(words []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("place_order", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: place_order [options]\n\n"+
			"Places a limit order and prints its execution reports until it is over.")
		flags.PrintDefaults()
		fmt.Fprintln(flags.Output(), "\nexit codes: 0 filled and settled; 1 rejected, cancelled, or not "+
			"over in time; 2 misuse")
	}
	flags.StringVar(&o.bootstrap, "bootstrap", "", "Kafka's bootstrap servers, `HOST:PORT`[,...]")
	flags.StringVar(&o.registry, "registry", "", "schema registry, the `URL` where /subjects stands")
	flags.StringVar(&o.user, "user", "", "whose order; the records' key")
	flags.StringVar(&o.symbol, "symbol", "", "for example BTCUSDT")
	flags.StringVar(&o.side, "side", "", "BUY or SELL")
	flags.Var(&o.qty, "qty", "`amount` in base asset")
	flags.Var(&o.price, "price", "`amount` in quote asset")
	flags.StringVar(&o.orderID, "order-id", "", "sent twice, it is one order (default: a new UUID)")
	flags.BoolVar(&o.follow, "follow", false,
		"send nothing: print the reports of --order-id from the first one on")
	flags.IntVar(&o.timeout, "timeout", 30, "`seconds` until the order must be over")
	for _, word := range words { // asked for, help is an answer: on stdout
		if word == "-h" || word == "--help" || word == "-help" {
			flags.SetOutput(os.Stdout)
		}
	}
	if err := flags.Parse(words); err != nil {
		return nil, err
	}
	if err := o.check(flags.Args()); err != nil {
		fmt.Fprintf(flags.Output(), "place_order: %v (see --help)\n", err)
		return nil, err
	}
	if o.orderID == "" {
		o.orderID = newUUID()
	}
	return o, nil
}

func (o *options) check(rest []string) error {
	needed := []struct {
		name    string
		missing bool
	}{
		{"bootstrap", o.bootstrap == ""}, {"registry", o.registry == ""}, {"user", o.user == ""},
		{"order-id", o.follow && o.orderID == ""}, {"symbol", !o.follow && o.symbol == ""},
		{"qty", !o.follow && o.qty.isZero()}, {"price", !o.follow && o.price.isZero()},
	}
	for _, option := range needed {
		if option.missing {
			return fmt.Errorf("--%s is missing or nothing", option.name)
		}
	}
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected '%s'", rest[0])
	case !o.follow && o.side != "BUY" && o.side != "SELL":
		return errors.New("--side is BUY or SELL")
	case o.timeout < 1:
		return errors.New("--timeout is a number of seconds")
	}
	return nil
}

// run returns the order's last status.
func run(o *options) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(o.timeout)*time.Second)
	defer cancel()
	schemas := newRegistry(o.registry)
	id, schema, err := schemas.latest(ctx, "orders-value")
	if err != nil {
		return "", err
	}
	reports, err := openReports(ctx, o, schemas)
	if err != nil {
		return "", err
	}
	defer reports.close()
	if !o.follow {
		framed, err := encode(id, schema, newOrder(o, time.Now()))
		if err != nil {
			return "", err
		}
		if err := send(ctx, o, framed); err != nil {
			return "", err
		}
	}
	return reports.follow(ctx)
}

func main() {
	o, err := parseOptions(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(exitMisuse)
	}
	status, err := run(o)
	if err != nil {
		fmt.Fprintf(os.Stderr, "place_order: %v\n", err)
	}
	if status != "SETTLED" || err != nil {
		os.Exit(exitNo)
	}
}
