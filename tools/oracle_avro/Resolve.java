// Asks Avro's own Java library what readers see. Usage: Resolve FILE, whose lines are those of tests/support/triple.h;
// each is printed again with the answers as its last column.
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

public class Resolve {
  static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

  public static void main(String[] args) throws IOException {
    for (String line : Files.readAllLines(Paths.get(args[0]))) {
      String[] columns = line.split("\t");
      Schema writer = new Schema.Parser().parse(columns[1]);
      Schema reader = new Schema.Parser().parse(columns[2]);
      StringBuilder answers = new StringBuilder();
      for (String datum : columns[3].split(" ")) {
        answers.append(answers.length() > 0 ? " " : "").append(resolve(writer, reader, bytes(datum)));
      }
      OUT.println(columns[0] + "\t" + columns[1] + "\t" + columns[2] + "\t" + columns[3] + "\t" + answers);
    }
    OUT.flush();
  }

  static String resolve(Schema writer, Schema reader, byte[] datum) {
    try {
      BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(datum, null);
      Object value = new GenericDatumReader<Object>(writer, reader).read(null, decoder);
      if (!decoder.isEnd()) {
        throw new IllegalStateException("bytes are left over");
      }
      StringBuilder out = new StringBuilder();
      print(reader, value, out);
      return out.toString();
    } catch (IOException | RuntimeException | StackOverflowError refused) { // the last: of a recursive pair that fails
      if (System.getenv("PERDURE_ORACLE_WHY") != null) {
        System.err.println(refused);
      }
      return "refused";
    }
  }

  static byte[] bytes(String hex) {
    byte[] bytes = new byte[hex.length() / 2]; // of "-": none
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
    }
    return bytes;
  }

  static void print(Schema schema, Object value, StringBuilder out) {
    switch (schema.getType()) {
      case LONG: out.append((Long) value).append('L'); break;
      case FLOAT: out.append(real((Float) value)); break;
      case DOUBLE: out.append(real((Double) value)); break;
      case BYTES:
        ByteBuffer buffer = ((ByteBuffer) value).duplicate();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        out.append("b:").append(text(bytes));
        break;
      case FIXED: out.append("x:").append(text(((GenericFixed) value).bytes())); break;
      case STRING: out.append("s:").append(text(value.toString().getBytes(StandardCharsets.UTF_8))); break;
      case ENUM: out.append("e:").append(value); break;
      case ARRAY: printArray(schema.getElementType(), (List<?>) value, out); break;
      case MAP: printMap(schema.getValueType(), (Map<?, ?>) value, out); break;
      case UNION:
        int branch = GenericData.get().resolveUnion(schema, value);
        out.append('<').append(branch).append(':');
        print(schema.getTypes().get(branch), value, out);
        out.append('>');
        break;
      case RECORD: printRecord(schema, (IndexedRecord) value, out); break;
      case INT: out.append((Integer) value); break;
      default: out.append(value); break;
    }
  }

  static void printArray(Schema items, List<?> list, StringBuilder out) {
    String between = "[";
    for (Object item : list) {
      out.append(between);
      print(items, item, out);
      between = ",";
    }
    out.append(list.isEmpty() ? "[]" : "]");
  }

  static void printMap(Schema values, Map<?, ?> map, StringBuilder out) {
    TreeMap<String, Object> sorted = new TreeMap<>();
    map.forEach((key, value) -> sorted.put(key.toString(), value));
    String between = "{";
    for (Map.Entry<String, Object> entry : sorted.entrySet()) {
      out.append(between).append(text(entry.getKey().getBytes(StandardCharsets.UTF_8))).append('=');
      print(values, entry.getValue(), out);
      between = ",";
    }
    out.append(sorted.isEmpty() ? "{}" : "}");
  }

  static void printRecord(Schema schema, IndexedRecord record, StringBuilder out) {
    String between = "(";
    for (Schema.Field field : schema.getFields()) {
      out.append(between).append(field.name()).append('=');
      print(field.schema(), record.get(field.pos()), out);
      between = ",";
    }
    out.append(schema.getFields().isEmpty() ? "()" : ")");
  }

  static String real(float value) {
    return Float.isNaN(value) ? "f:nan" : String.format("f:%08x", Float.floatToRawIntBits(value));
  }

  static String real(double value) {
    return Double.isNaN(value) ? "d:nan" : String.format("d:%016x", Double.doubleToRawLongBits(value));
  }

  static String text(byte[] bytes) {
    StringBuilder out = new StringBuilder();
    for (byte b : bytes) {
      if (b > 0x20 && b < 0x7f && b != '\\') {
        out.append((char) b);
      } else {
        out.append(String.format("\\%02x", b));
      }
    }
    return out.toString();
  }
}
