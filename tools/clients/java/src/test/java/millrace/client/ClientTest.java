package millrace.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** The parts that need no server. */
class ClientTest {
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05.000006Z");
    private static final String[] ORDER = {"--bootstrap", "b", "--registry", "r", "--user", "u", "--symbol", "S",
        "--side", "SELL", "--qty", "1.5", "--price=2", "--order-id", "mine"};

    /** A registry that has one schema, whatever the id. */
    private static Registry having(Schema schema) {
        return new Registry("") {
            @Override
            Schema writer(int id) {
                assertEquals(7, id);
                return schema;
            }
        };
    }

    private static GenericRecordBuilder report(Schema schema, String execType, String status, String cumQty) {
        GenericRecordBuilder report = new GenericRecordBuilder(new GenericData.Record(schema).getSchema());
        report.set("execId", "e").set("ts", NOW).set("orderId", "o").set("symbol", "S").set("version", 2);
        report.set("execType", symbol(schema, "execType", execType)).set("status", symbol(schema, "status", status));
        report.set("side", symbol(schema, "side", "BUY"));
        report.set("cumQty", new BigDecimal(cumQty).setScale(18));
        report.set("leavesQty", new BigDecimal("0").setScale(18));
        return report.set("cancelledQty", new BigDecimal("100").setScale(18));
    }

    private static GenericData.EnumSymbol symbol(Schema schema, String field, String name) {
        return new GenericData.EnumSymbol(schema.getField(field).schema(), name);
    }

    @Test
    void partitionIsThatOfEveryClient() {
        // The vectors of Kafka's own UtilsTest.
        assertEquals((-973932308 & 0x7fffffff) % 6, Executions.partitionOf("21", 6));
        assertEquals((-790332482 & 0x7fffffff) % 6, Executions.partitionOf("foobar", 6));
    }

    @Test
    void amountsAreExactOrRefused() throws Options.Misuse {
        assertEquals(new BigDecimal("1.5"), Options.parse(ORDER).qty());
        for (String text : new String[] {"1e3", "-1", "0.0", "", "1.", ".5", "NaN", "0.0000000000000000001",
            "12345678901234567"}) {
            String[] words = ORDER.clone();
            words[Arrays.asList(words).indexOf("1.5")] = text;
            assertThrows(Options.Misuse.class, () -> Options.parse(words), text);
        }
    }

    @Test
    void aCommandLineIsCheckedWhole() throws Options.Misuse {
        for (int i = 0; i < 12; i += 2) {
            String[] first = Arrays.copyOf(ORDER, i);
            String[] rest = Arrays.copyOfRange(ORDER, i + 2, ORDER.length);
            String[] words = Stream.of(first, rest).flatMap(Arrays::stream).toArray(String[]::new);
            assertThrows(Options.Misuse.class, () -> Options.parse(words), ORDER[i]);
        }
        String[] more = Arrays.copyOf(ORDER, ORDER.length + 1);
        more[ORDER.length] = "--nothing";
        assertThrows(Options.Misuse.class, () -> Options.parse(more));
        String[] follow = {"--bootstrap=b", "--registry=r", "--user=u", "--follow", "--order-id=o"};
        assertTrue(Options.parse(follow).follow());
        assertThrows(Options.Misuse.class, () -> Options.parse(Arrays.copyOf(follow, 4)));
    }

    @Test
    void decimalsSurviveAndArePlain() throws Exception {
        BigDecimal largest = new BigDecimal("99999999999999999999.999999999999999999");
        BigDecimal smallest = new BigDecimal("-0.000000000000000001");
        GenericRecord sent = report(Report.SCHEMA, "TRADE", "FILLED", "1.50").set("lastPx", largest)
                .set("feeAmount", smallest).build();
        byte[] framed = Wire.encode(7, sent);
        assertEquals(0, framed[0]);
        assertEquals(7, framed[4]);
        Report back = new Report(Wire.decode(having(Report.SCHEMA), framed, Report.SCHEMA));
        assertEquals("99999999999999999999.999999999999999999", back.text("lastPx"));
        assertEquals("-0.000000000000000001", back.text("feeAmount"));
        assertEquals("2026-01-02T03:04:05.000006Z execType=TRADE status=FILLED orderId=o symbol=S side=BUY "
                + "lastPx=99999999999999999999.999999999999999999 feeAmount=-0.000000000000000001 cumQty=1.5 "
                + "leavesQty=0 cancelledQty=100 version=2 execId=e", back.line());
        framed[0] = 1;
        assertThrows(IOException.class, () -> Wire.decode(having(Report.SCHEMA), framed, Report.SCHEMA));
    }

    @Test
    void aNewerWriterIsRead() throws Exception {
        String first = "{\"name\":\"execId\",\"type\":\"string\"},";
        String text = Report.SCHEMA.toString();
        assertTrue(text.contains(first));
        String newer = text.replace(first, "{\"name\":\"venue\",\"type\":\"string\"},")
                .replace("{\"name\":\"version\"", first + "{\"name\":\"version\"");
        Schema writer = new Schema.Parser().parse(newer);
        byte[] framed = Wire.encode(7, report(writer, "NEW", "ACCEPTED", "0").set("venue", "somewhere").build());
        assertEquals("o", new Report(Wire.decode(having(writer), framed, Report.SCHEMA)).orderId());
    }

    @Test
    void whichReportIsTheLast() {
        String[][] rows = {{"NEW", "ACCEPTED", "0", "no"}, {"TRADE", "FILLED", "1", "no"},
            {"SETTLED", "SETTLED", "1", "yes"}, {"CANCELED", "CANCELLED", "0", "yes"},
            {"CANCELED", "CANCELLED", "1", "no"}, {"SETTLED", "CANCELLED", "1", "yes"},
            {"REJECTED", "REJECTED", "0", "yes"}};
        for (String[] row : rows) {
            Report report = new Report(report(Report.SCHEMA, row[0], row[1], row[2]).build());
            assertEquals(row[3].equals("yes"), report.isFinal(), String.join(" ", row));
        }
    }

    @Test
    void anOrderIsWrittenWithTheSubjectsSchema() throws Exception {
        Path file = Path.of("../../../schemas/avro/OrderCommand.avsc");
        Assumptions.assumeTrue(Files.exists(file), "outside of the repository");
        Schema schema = new Schema.Parser().parse(Files.readString(file));
        byte[] framed = Wire.encode(7, OrderCommand.create(Options.parse(ORDER), schema, NOW));
        GenericRecord back = Wire.decode(having(schema), framed, schema);
        assertEquals("mine", back.get("idempotencyKey").toString());
        assertEquals(new BigDecimal("1.500000000000000000"), back.get("qty"));
        assertEquals("EXPIRE_TAKER", back.get("stpMode").toString());
        assertNotEquals("mine", back.get("eventId").toString());
        assertFalse((Boolean) back.get("postOnly"));
    }
}
