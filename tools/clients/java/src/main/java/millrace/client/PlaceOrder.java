package millrace.client;

import java.io.IOException;
import java.time.Instant;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Places a limit order and prints its execution reports until it is over. */
public final class PlaceOrder {
    private PlaceOrder() {}

    private static String run(Options options) throws IOException, InterruptedException {
        Registry registry = new Registry(options.registry());
        Registry.Registered orders = registry.latest("orders-value");
        try (Executions executions = new Executions(options, registry)) {
            if (!options.follow()) {
                var command = OrderCommand.create(options, orders.schema(), Instant.now());
                send(options, Wire.encode(orders.id(), command));
            }
            return executions.follow(System.out::println);
        }
    }

    /** Returns when the order is in the log. Idempotence and acks=all are Kafka's defaults. */
    private static void send(Options options, byte[] framed) throws IOException, InterruptedException {
        int timeout = options.timeoutSeconds() * 1000;
        Properties config = new Properties();
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, options.bootstrap());
        config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, timeout);
        config.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, Math.min(timeout, 30_000));
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, timeout);
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>("orders", options.user(), framed)).get();
        } catch (ExecutionException error) {
            throw new IOException("the order was not acknowledged within " + options.timeoutSeconds() + " s by "
                    + options.bootstrap() + ": " + error.getCause().getMessage(), error);
        }
    }

    /** 0 filled and settled; 1 rejected, cancelled, or not over in time; 2 misuse. */
    static int execute(String... words) throws InterruptedException {
        if (Options.asksForHelp(words)) {
            System.out.println(Options.HELP);
            return 0;
        }
        Options options;
        try {
            options = Options.parse(words);
        } catch (Options.Misuse error) {
            System.err.println("place_order: " + error.getMessage());
            return 2;
        }
        try {
            return run(options).equals("SETTLED") ? 0 : 1;
        } catch (KafkaException error) {
            System.err.println("place_order: Kafka at " + options.bootstrap() + ": " + error.getMessage());
        } catch (IOException | IllegalArgumentException error) {
            System.err.println("place_order: " + error.getMessage());
        }
        return 1;
    }

    public static void main(String[] words) throws InterruptedException {
        System.exit(execute(words));
    }
}
