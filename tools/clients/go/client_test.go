package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
)

func amountOf(text string) amount {
	var value amount
	if err := value.Set(text); err != nil {
		panic(err)
	}
	return value
}

func report() *executionReport {
	some := amountOf("1.5")
	return &executionReport{
		ExecID: "e", TS: time.UnixMicro(1767323045000006), ExecType: "TRADE", Status: "FILLED", OrderID: "o",
		Symbol: "S", Side: "BUY", LastQty: &some, CumQty: amountOf("3"), LeavesQty: amountOf("0"),
		CancelledQty: amountOf("0"), Version: 2,
	}
}

func TestPartitionIsThatOfJava(t *testing.T) {
	// The vectors of Kafka's own UtilsTest.
	for key, hash := range map[string]int32{"21": -973932308, "foobar": -790332482,
		"a-little-bit-long-string": -985981536, "a-little-bit-longer-string": -1486304829} {
		if got, want := partitionOf(key, 6), (hash&0x7fffffff)%6; got != want {
			t.Errorf("%s: partition %d, not %d", key, got, want)
		}
	}
}

func TestAmountsAreExactOrRefused(t *testing.T) {
	var a amount
	for _, text := range []string{"0.000000000000000001", "1234567890123456.5", "100"} {
		if err := a.Set(text); err != nil || a.String() != text {
			t.Errorf("%s becomes %s, %v", text, a.String(), err)
		}
	}
	for _, text := range []string{"1e3", "-1", "", "1.", ".5", "NaN", "0.0000000000000000001", "12345678901234567", "1/3"} {
		if a.Set(text) == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestDecimalsSurvive(t *testing.T) {
	schemas := newRegistry("")
	schemas.resolved[7] = readerSchema
	sent := report()
	largest, smallest := amountOf("9999999999999999.999999999999999999"), amount{}
	for i := range smallest { // -1 atom
		smallest[i] = 0xff
	}
	sent.LastPx, sent.FeeAmount = &largest, &smallest
	if line := sent.line(); !strings.Contains(line, " lastPx=9999999999999999.999999999999999999 ") ||
		!strings.Contains(line, " feeAmount=-0.000000000000000001 ") {
		t.Error(line)
	}
	framed, err := encode(7, readerSchema, sent)
	if err != nil {
		t.Fatal(err)
	}
	if string(framed[:5]) != "\x00\x00\x00\x00\x07" {
		t.Errorf("header %x", framed[:5])
	}
	var back executionReport
	if err := schemas.decode(context.Background(), framed, readerSchema, &back); err != nil {
		t.Fatal(err)
	}
	if back.line() != sent.line() {
		t.Errorf("%s\nis not %s", back.line(), sent.line())
	}
	if schemas.decode(context.Background(), []byte{1, 0, 0, 0, 7}, readerSchema, &back) == nil {
		t.Error("a record without the header is taken")
	}
}

func TestLineIsUTCAndLeavesOutWhatIsAbsent(t *testing.T) {
	r := report()
	r.TS = r.TS.In(time.FixedZone("east", 5*3600))
	want := "2026-01-02T03:04:05.000006Z execType=TRADE status=FILLED orderId=o symbol=S side=BUY lastQty=1.5 " +
		"cumQty=3 leavesQty=0 cancelledQty=0 version=2 execId=e"
	if r.line() != want {
		t.Errorf("%s\nis not %s", r.line(), want)
	}
}

func TestANewerWriterIsRead(t *testing.T) {
	// A field more, another order of fields: what a subject may become.
	first := `{"name": "execId", "type": "string"},`
	text := strings.Replace(readerText, first, `{"name": "venue", "type": "string"},`, 1)
	last := `{"name": "version", "type": "int"}`
	text = strings.Replace(text, last, last+`, {"name": "execId", "type": "string"}`, 1)
	writer, err := avro.ParseWithCache(text, "", &avro.SchemaCache{})
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := avro.NewSchemaCompatibility().Resolve(readerSchema, writer)
	if err != nil {
		t.Fatal(err)
	}
	type newer struct {
		executionReport
		Venue string `avro:"venue"`
	}
	framed, err := encode(7, writer, &newer{*report(), "somewhere"})
	if err != nil {
		t.Fatal(err)
	}
	schemas := newRegistry("")
	schemas.resolved[7] = resolved
	var back executionReport
	if err := schemas.decode(context.Background(), framed, readerSchema, &back); err != nil {
		t.Fatal(err)
	}
	if back.line() != report().line() {
		t.Errorf("%s\nis not %s", back.line(), report().line())
	}
}

func TestWhichReportIsTheLast(t *testing.T) {
	for _, row := range []struct {
		execType, status, cum string
		final                 bool
	}{
		{"NEW", "ACCEPTED", "0", false}, {"TRADE", "FILLED", "1", false}, {"SETTLED", "SETTLED", "1", true},
		{"CANCELED", "CANCELLED", "0", true}, {"CANCELED", "CANCELLED", "1", false},
		{"SETTLED", "CANCELLED", "1", true}, {"REJECTED", "REJECTED", "0", true},
	} {
		r := executionReport{ExecType: row.execType, Status: row.status, CumQty: amountOf(row.cum)}
		if r.final() != row.final {
			t.Errorf("%v: final %v", row, r.final())
		}
	}
}

func TestAnOrderIsWrittenWithTheSubjectsSchema(t *testing.T) {
	text, err := os.ReadFile("../../../schemas/avro/OrderCommand.avsc")
	if err != nil {
		t.Skip("outside of the repository")
	}
	o := &options{orderID: "mine", user: "u", symbol: "S", side: "SELL", qty: amountOf("1"), price: amountOf("2")}
	schema, err := avro.ParseWithCache(string(text), "", &avro.SchemaCache{})
	if err != nil {
		t.Fatal(err)
	}
	body, err := avro.Marshal(schema, newOrder(o, time.UnixMicro(1)))
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		IdempotencyKey *string `avro:"idempotencyKey"`
		Qty            *amount `avro:"qty"`
		StpMode        string  `avro:"stpMode"`
	}
	if err := avro.Unmarshal(schema, body, &back); err != nil {
		t.Fatal(err)
	}
	if *back.IdempotencyKey != "mine" || back.Qty.String() != "1" || back.StpMode != "EXPIRE_TAKER" {
		t.Errorf("%+v", back)
	}
}
