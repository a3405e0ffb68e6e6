package main

import (
	"crypto/rand"
	"fmt"
	"time"
)

// orderCommand has the fields that a client sets; the codec fills in the defaults of the others.
type orderCommand struct {
	EventID        string    `avro:"eventId"`
	TS             time.Time `avro:"ts"`
	ClientTS       time.Time `avro:"clientTs"`
	Action         string    `avro:"action"`
	OrderID        string    `avro:"orderId"`
	IdempotencyKey *string   `avro:"idempotencyKey"`
	UserID         string    `avro:"userId"`
	Symbol         string    `avro:"symbol"`
	Side           string    `avro:"side"`
	OrdType        string    `avro:"ordType"`
	TIF            string    `avro:"tif"`
	Qty            *amount   `avro:"qty"`
	Price          *amount   `avro:"price"`
	Source         string    `avro:"source"`
}

func newOrder(o *options, now time.Time) *orderCommand {
	return &orderCommand{
		EventID: newUUID(), TS: now, ClientTS: now, Action: "NEW", OrderID: o.orderID,
		IdempotencyKey: &o.orderID, UserID: o.user, Symbol: o.symbol, Side: o.side, OrdType: "LIMIT",
		TIF: "GTC", Qty: &o.qty, Price: &o.price, Source: "client-go",
	}
}

func newUUID() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // no randomness: nothing else would work either
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
