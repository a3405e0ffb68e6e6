package millrace.client;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;

/** The command line, checked. */
record Options(String bootstrap, String registry, String user, String symbol, String side, BigDecimal qty,
        BigDecimal price, String orderId, boolean follow, int timeoutSeconds) {

    static final String HELP = """
            usage: place_order --bootstrap HOST:PORT --registry URL --user USER
                               --symbol SYMBOL --side BUY|SELL --qty AMOUNT --price AMOUNT

            Places a limit order and prints its execution reports until it is over.

              --bootstrap HOST:PORT  Kafka's bootstrap servers
              --registry URL         schema registry, where /subjects stands
              --user USER            whose order; the records' key
              --symbol SYMBOL        for example BTCUSDT
              --side BUY|SELL
              --qty AMOUNT           in base asset
              --price AMOUNT         in quote asset
              --order-id ID          sent twice, it is one order (default: a new UUID)
              --follow               send nothing: print the reports of --order-id from the first one on
              --timeout SECONDS      until the order must be over (default: 30)

            exit codes: 0 filled and settled; 1 rejected, cancelled, or not over in time; 2 misuse""";

    private static final List<String> NAMES = List.of("bootstrap", "registry", "user", "symbol", "side", "qty",
            "price", "order-id", "timeout");
    private static final Pattern AMOUNT = Pattern.compile("[0-9]{1,16}(\\.[0-9]{1,18})?");
    private static final Pattern SECONDS = Pattern.compile("[1-9][0-9]{0,4}");

    /** A command line that is wrong, with a line for the user. */
    static final class Misuse extends Exception {
        private static final long serialVersionUID = 1;

        Misuse(String text) {
            super(text);
        }
    }

    static boolean asksForHelp(String... words) {
        return Arrays.asList(words).contains("--help") || Arrays.asList(words).contains("-h");
    }

    static Options parse(String... words) throws Misuse {
        Map<String, String> given = new HashMap<>();
        boolean follow = false;
        for (int i = 0; i < words.length; i++) {
            String[] pair = words[i].split("=", 2);
            String name = pair[0].startsWith("--") ? pair[0].substring(2) : "";
            if (words[i].equals("--follow")) {
                follow = true;
            } else if (!NAMES.contains(name)) {
                throw new Misuse("unexpected '" + words[i] + "' (see --help)");
            } else if (pair.length == 1 && i + 1 == words.length) {
                throw new Misuse("--" + name + " needs a value");
            } else {
                given.put(name, pair.length == 2 ? pair[1] : words[++i]);
            }
        }
        return new Options(need(given, "bootstrap"), need(given, "registry"), need(given, "user"),
                follow ? "" : need(given, "symbol"), follow ? "" : side(given),
                follow ? null : amount(given, "qty"), follow ? null : amount(given, "price"),
                follow ? need(given, "order-id") : given.getOrDefault("order-id", UUID.randomUUID().toString()),
                follow, seconds(given.getOrDefault("timeout", "30")));
    }

    private static String need(Map<String, String> given, String name) throws Misuse {
        String value = given.getOrDefault(name, "");
        if (value.isEmpty()) {
            throw new Misuse("--" + name + " is missing (see --help)");
        }
        return value;
    }

    private static String side(Map<String, String> given) throws Misuse {
        String side = need(given, "side");
        if (!side.equals("BUY") && !side.equals("SELL")) {
            throw new Misuse("--side is BUY or SELL, not '" + side + "'");
        }
        return side;
    }

    /** Exactly as written, or not at all. */
    private static BigDecimal amount(Map<String, String> given, String name) throws Misuse {
        String text = need(given, name);
        if (!AMOUNT.matcher(text).matches() || new BigDecimal(text).signum() == 0) {
            throw new Misuse("--" + name + ": '" + text + "' is no amount: above zero, 16 digits, 18 decimals at most");
        }
        return new BigDecimal(text);
    }

    private static int seconds(String text) throws Misuse {
        if (!SECONDS.matcher(text).matches()) {
            throw new Misuse("--timeout is a number of seconds, not '" + text + "'");
        }
        return Integer.parseInt(text);
    }
}
