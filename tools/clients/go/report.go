package main

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/hamba/avro/v2"
)

// What this client reads of a report: its own schema, whichever version the writer has.
//
//go:embed execution_report.avsc
var readerText string

var readerSchema = avro.MustParse(readerText)

type executionReport struct {
	ExecID       string    `avro:"execId"`
	TS           time.Time `avro:"ts"`
	ExecType     string    `avro:"execType"`
	Status       string    `avro:"status"`
	OrderID      string    `avro:"orderId"`
	Symbol       string    `avro:"symbol"`
	Side         string    `avro:"side"`
	LastQty      *amount   `avro:"lastQty"`
	LastPx       *amount   `avro:"lastPx"`
	TradeID      *int64    `avro:"tradeId"`
	Liquidity    *string   `avro:"liquidity"`
	CumQty       amount    `avro:"cumQty"`
	LeavesQty    amount    `avro:"leavesQty"`
	CancelledQty amount    `avro:"cancelledQty"`
	FeeAmount    *amount   `avro:"feeAmount"`
	FeeAsset     *string   `avro:"feeAsset"`
	RejectCode   *int      `avro:"rejectCode"`
	RejectText   *string   `avro:"rejectText"`
	CancelReason *string   `avro:"cancelReason"`
	Version      int       `avro:"version"`
}

// line has the report's time in UTC and its fields that have a value.
func (r *executionReport) line() string {
	var out strings.Builder
	out.WriteString(r.TS.UTC().Format("2006-01-02T15:04:05.000000Z"))
	add := func(name, value string) { fmt.Fprintf(&out, " %s=%s", name, value) }
	addText := func(name string, value *string) {
		if value != nil {
			add(name, *value)
		}
	}
	addAmount := func(name string, value *amount) {
		if value != nil {
			add(name, value.String())
		}
	}
	add("execType", r.ExecType)
	add("status", r.Status)
	add("orderId", r.OrderID)
	add("symbol", r.Symbol)
	add("side", r.Side)
	addAmount("lastQty", r.LastQty)
	addAmount("lastPx", r.LastPx)
	if r.TradeID != nil {
		add("tradeId", fmt.Sprint(*r.TradeID))
	}
	addText("liquidity", r.Liquidity)
	addAmount("feeAmount", r.FeeAmount)
	addText("feeAsset", r.FeeAsset)
	add("cumQty", r.CumQty.String())
	add("leavesQty", r.LeavesQty.String())
	add("cancelledQty", r.CancelledQty.String())
	addText("cancelReason", r.CancelReason)
	if r.RejectCode != nil {
		add("rejectCode", fmt.Sprint(*r.RejectCode))
	}
	addText("rejectText", r.RejectText)
	add("version", fmt.Sprint(r.Version))
	add("execId", r.ExecID)
	return out.String()
}

// final says whether this was the last report of its order. An order that traded is over when its
// fills are settled, also one that was cancelled after them.
func (r *executionReport) final() bool {
	switch r.Status {
	case "SETTLED", "REJECTED":
		return true
	case "CANCELLED":
		return r.CumQty.isZero() || r.ExecType == "SETTLED"
	}
	return false
}
