package millrace.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.Schema;

/** A schema registry, by the two questions that a client has. Not for several threads. */
class Registry {
    private static final Duration ANSWER = Duration.ofSeconds(10);

    private final String url;
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(ANSWER).build();
    private final ObjectMapper json = new ObjectMapper();
    private final Map<Integer, Schema> writers = new HashMap<>();

    /** A schema with the id that it has in the registry. */
    record Registered(int id, Schema schema) {}

    Registry(String url) {
        this.url = url.replaceAll("/+$", "");
    }

    /** The subject's newest version: what to write with. */
    Registered latest(String subject) throws IOException, InterruptedException {
        JsonNode version = get("/subjects/" + subject + "/versions/latest");
        return new Registered(version.path("id").asInt(), parse(version));
    }

    /** What a record with this id was written with. Asked for once. */
    Schema writer(int id) throws IOException, InterruptedException {
        Schema known = writers.get(id);
        if (known == null) {
            known = parse(get("/schemas/ids/" + id));
            writers.put(id, known);
        }
        return known;
    }

    private static Schema parse(JsonNode version) {
        return new Schema.Parser().parse(version.path("schema").asText());
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path)).timeout(ANSWER).build();
        HttpResponse<String> answer;
        try {
            answer = http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException error) {
            throw new IOException("registry: " + url + path + ": " + reason(error), error);
        }
        if (answer.statusCode() != 200) {
            throw new IOException("registry: " + url + path + ": HTTP " + answer.statusCode());
        }
        return json.readTree(answer.body());
    }

    private static String reason(IOException error) {
        return error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
    }
}
