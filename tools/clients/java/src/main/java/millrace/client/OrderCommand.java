package millrace.client;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;

/** A new limit order by the subject's schema. Fields that a client does not set have their defaults. */
final class OrderCommand {
    private static final int DECIMALS = 18;

    private OrderCommand() {}

    static GenericRecord create(Options options, Schema schema, Instant now) {
        GenericRecordBuilder command = new GenericRecordBuilder(new GenericData.Record(schema).getSchema());
        Map<String, Object> set = Map.of("eventId", UUID.randomUUID().toString(), "ts", now, "clientTs", now,
                "orderId", options.orderId(), "idempotencyKey", options.orderId(), "userId", options.user(),
                "symbol", options.symbol(), "qty", atoms(options.qty()), "price", atoms(options.price()),
                "source", "client-java");
        set.forEach(command::set);
        Map.of("action", "NEW", "side", options.side(), "ordType", "LIMIT", "tif", "GTC").forEach(
                (name, symbol) -> command.set(name,
                        new GenericData.EnumSymbol(schema.getField(name).schema(), symbol)));
        return command.build();
    }

    /** The scale of the wire. No digit is lost: options have at most 18 decimals. */
    private static BigDecimal atoms(BigDecimal amount) {
        return amount.setScale(DECIMALS);
    }
}
