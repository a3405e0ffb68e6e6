package millrace.client;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.avro.Conversions;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

/**
 * The Confluent wire format: a zero byte, the schema's id (big-endian), Avro binary.
 *
 * <p>A writer writes with the newest version of its subject; a reader takes the id out of each record and
 * resolves the record from that schema to its own. So both go on working when the subject evolves.
 */
final class Wire {
    static final int HEADER_BYTES = 5;

    /** Decimals as BigDecimal, timestamps as Instant. */
    static final GenericData VALUES = new GenericData();

    static {
        VALUES.addLogicalTypeConversion(new Conversions.DecimalConversion());
        VALUES.addLogicalTypeConversion(new TimeConversions.TimestampMicrosConversion());
    }

    private Wire() {}

    static byte[] encode(int id, GenericRecord record) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DataOutputStream header = new DataOutputStream(out);
        header.writeByte(0);
        header.writeInt(id);
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<GenericRecord>(record.getSchema(), VALUES).write(record, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    static GenericRecord decode(Registry registry, byte[] framed, Schema reader)
            throws IOException, InterruptedException {
        if (framed.length < HEADER_BYTES || framed[0] != 0) {
            throw new IOException("a record that is not in the Confluent wire format");
        }
        Schema writer = registry.writer(ByteBuffer.wrap(framed, 1, 4).getInt());
        var decoder = DecoderFactory.get().binaryDecoder(framed, HEADER_BYTES, framed.length - HEADER_BYTES, null);
        return new GenericDatumReader<GenericRecord>(writer, reader, VALUES).read(null, decoder);
    }
}
