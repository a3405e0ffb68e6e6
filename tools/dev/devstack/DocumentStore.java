// The document store of the development stack: mongo-java-server behind the MongoDB wire protocol.
// usage: DocumentStore PORT [FILE]   FILE: an H2 database, kept over restarts; without: in memory
import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;

public class DocumentStore {
    public static void main(String[] args) {
        MongoBackend backend = args.length > 1 ? new H2Backend(args[1]) : new MemoryBackend();
        MongoServer server = new MongoServer(backend);
        server.bind("127.0.0.1", Integer.parseInt(args[0]));
        // A clean end on SIGTERM: open H2 pages reach the disk.
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    }
}
