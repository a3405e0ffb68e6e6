// The document store of the development stack: mongo-java-server behind the MongoDB wire protocol.
// usage: DocumentStore PORT [FILE]   FILE: an H2 database, kept over restarts; without: in memory
//
// Why its own index: the emulator uses an index only for a query about nothing but the index's fields. A guarded
// write asks for {_id, version: {$lt: n}} and would read the whole collection for each document.
import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.backend.memory.MemoryDatabase;
import de.bwaldvogel.mongo.backend.memory.index.MemoryUniqueIndex;
import de.bwaldvogel.mongo.bson.Document;
import java.util.List;

public class DocumentStore {
    /** Answers what asks for one _id and more; the caller matches the rest of the query. */
    static class IdIndex extends MemoryUniqueIndex {
        IdIndex(String name, List<IndexKey> keys, boolean sparse) {
            super(name, keys, sparse);
        }

        private static Document onlyId(Document query) {
            return query.containsKey("_id") ? new Document("_id", query.get("_id")) : query;
        }

        @Override
        public synchronized boolean canHandle(Document query) {
            return super.canHandle(onlyId(query));
        }

        @Override
        public synchronized Iterable<Integer> getPositions(Document query) {
            return super.getPositions(onlyId(query));
        }
    }

    static class Database extends MemoryDatabase {
        Database(String name, de.bwaldvogel.mongo.backend.CursorRegistry cursors) {
            super(name, cursors);
        }

        @Override
        protected Index<Integer> openOrCreateUniqueIndex(
                String collection, String index, List<IndexKey> keys, boolean sparse) {
            boolean isId = keys.size() == 1 && keys.get(0).getKey().equals("_id");
            return isId ? new IdIndex(index, keys, sparse)
                        : super.openOrCreateUniqueIndex(collection, index, keys, sparse);
        }
    }

    static class Backend extends MemoryBackend {
        @Override
        public MemoryDatabase openOrCreateDatabase(String name) {
            return new Database(name, getCursorRegistry());
        }
    }

    public static void main(String[] args) {
        MongoBackend backend = args.length > 1 ? new H2Backend(args[1]) : new Backend();
        MongoServer server = new MongoServer(backend);
        server.bind("127.0.0.1", Integer.parseInt(args[0]));
        // A clean end on SIGTERM: open H2 pages reach the disk.
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    }
}
