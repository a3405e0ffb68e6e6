package millrace.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecord;

/** What an execution report says: one line of text, and whether it is the order's last. */
record Report(GenericRecord fields) {
    /** What this client reads of a report: its own schema, whichever version the writer has. */
    static final Schema SCHEMA = loadSchema();

    private static final DateTimeFormatter UTC =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);
    private static final String[] SHOWN = {"execType", "status", "orderId", "symbol", "side", "lastQty", "lastPx",
        "tradeId", "liquidity", "feeAmount", "feeAsset", "cumQty", "leavesQty", "cancelledQty", "cancelReason",
        "rejectCode", "rejectText", "version", "execId"};

    private static Schema loadSchema() {
        try (InputStream in = Report.class.getResourceAsStream("/execution_report.avsc")) {
            return new Schema.Parser().parse(in);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    String text(String name) {
        Object value = fields.get(name);
        if (value instanceof BigDecimal amount) {
            return amount.signum() == 0 ? "0" : amount.stripTrailingZeros().toPlainString();
        }
        return value.toString();
    }

    String orderId() {
        return text("orderId");
    }

    String status() {
        return text("status");
    }

    /** The report's time in UTC and its fields that have a value. */
    String line() {
        StringBuilder out = new StringBuilder(UTC.format((Instant) fields.get("ts")));
        for (String name : SHOWN) {
            if (fields.get(name) != null) {
                out.append(' ').append(name).append('=').append(text(name));
            }
        }
        return out.toString();
    }

    /** An order that traded is over when its fills are settled, also one that was cancelled after them. */
    boolean isFinal() {
        return switch (status()) {
            case "SETTLED", "REJECTED" -> true;
            case "CANCELLED" -> text("cumQty").equals("0") || text("execType").equals("SETTLED");
            default -> false;
        };
    }
}
