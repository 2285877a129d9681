// Asks Avro's own Java library. Usage: Oracle canonical FILE: for each schema (a line of FILE) its fingerprint and
// Parsing Canonical Form, or "refused". Oracle data SEED COUNT FILE...: COUNT random values of each record of the
// schemas in FILE..., each as: full name, bytes, bytes with sized blocks, JSON; tabs between.
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

public class Oracle {
  static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);
  static Random random;

  public static void main(String[] args) throws IOException {
    if (args[0].equals("canonical")) {
      for (String line : Files.readAllLines(Paths.get(args[1]))) {
        canonical(line);
      }
    } else {
      random = new Random(Long.parseLong(args[1]));
      for (int i = 3; i < args.length; i++) {
        data(new Schema.Parser().parse(new File(args[i])), Integer.parseInt(args[2]));
      }
    }
    OUT.flush();
  }

  static void canonical(String json) {
    try {
      Schema schema = new Schema.Parser().parse(json);
      OUT.printf("%016x %s%n", SchemaNormalization.parsingFingerprint64(schema),
          SchemaNormalization.toParsingForm(schema));
    } catch (RuntimeException refused) {
      OUT.println("refused");
    }
  }

  static void data(Schema union, int count) throws IOException {
    for (Schema record : union.getTypes()) {
      for (int i = 0; i < count; i++) {
        Object value = value(record, 0);
        OUT.printf("%s\t%s\t%s\t%s%n", record.getFullName(), bytes(record, value, false),
            bytes(record, value, true), json(record, value));
      }
    }
  }

  static String bytes(Schema schema, Object value, boolean blocks) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    BinaryEncoder encoder = blocks ? new EncoderFactory().configureBlockSize(64).blockingBinaryEncoder(out, null)
        : EncoderFactory.get().directBinaryEncoder(out, null);
    new GenericDatumWriter<Object>(schema).write(value, encoder);
    encoder.flush();
    StringBuilder hex = new StringBuilder();
    for (byte b : out.toByteArray()) {
      hex.append(String.format("%02x", b));
    }
    return hex.toString();
  }

  static Object value(Schema schema, int depth) {
    switch (schema.getType()) {
      case NULL: return null;
      case BOOLEAN: return random.nextBoolean();
      case INT: return random.nextInt() >> random.nextInt(32);
      case LONG: return random.nextLong() >> random.nextInt(64);
      case FLOAT: return (random.nextInt(200001) - 100000) / 8f;
      case DOUBLE: return (random.nextInt(2000001) - 1000000) / 64.0;
      case BYTES: return ByteBuffer.wrap(randomBytes(random.nextInt(20)));
      case STRING: return text();
      case FIXED: return new GenericData.Fixed(schema, randomBytes(schema.getFixedSize()));
      case ENUM:
        return new GenericData.EnumSymbol(schema,
            schema.getEnumSymbols().get(random.nextInt(schema.getEnumSymbols().size())));
      case ARRAY: return array(schema, depth);
      case MAP: return map(schema, depth);
      case UNION: return branch(schema, depth);
      default: return record(schema, depth);
    }
  }

  static byte[] randomBytes(int size) {
    byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    return bytes;
  }

  static String text() {
    int[] ranges = {0x20, 0x7e, 0x20, 0x7e, 0x20, 0x7e, 0x00, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff,
        0x10000, 0x10ffff};
    boolean ascii = random.nextBoolean();
    StringBuilder text = new StringBuilder();
    for (int left = random.nextInt(24); left > 0; left--) {
      int range = 2 * random.nextInt(ascii ? 3 : ranges.length / 2);
      text.appendCodePoint(ranges[range] + random.nextInt(ranges[range + 1] - ranges[range] + 1));
    }
    return text.toString();
  }

  static int size(int depth) {
    return depth > 4 ? 0 : random.nextInt(5 - Math.min(depth, 4));
  }

  static Object array(Schema schema, int depth) {
    List<Object> items = new ArrayList<>();
    for (int left = size(depth); left > 0; left--) {
      items.add(value(schema.getElementType(), depth + 1));
    }
    return items;
  }

  static Object map(Schema schema, int depth) {
    Map<String, Object> entries = new LinkedHashMap<>();
    for (int left = size(depth); left > 0; left--) {
      entries.put(text(), value(schema.getValueType(), depth + 1));
    }
    return entries;
  }

  static Object branch(Schema schema, int depth) {
    int count = schema.getTypes().size();
    int index = random.nextInt(count);
    for (int i = 0; depth > 4 && i < count; i++) {
      Schema.Type type = schema.getTypes().get(i).getType();
      if (type == Schema.Type.NULL || type == Schema.Type.STRING) {
        index = i;
      }
    }
    return value(schema.getTypes().get(index), depth + 1);
  }

  static Object record(Schema schema, int depth) {
    GenericData.Record record = new GenericData.Record(schema);
    for (Schema.Field field : schema.getFields()) {
      record.put(field.pos(), value(field.schema(), depth + 1));
    }
    return record;
  }

  // JSON as perdure prints it: unions untagged, bytes as one code point a byte, whole numbers without a fraction.
  static String json(Schema schema, Object value) {
    StringBuilder out = new StringBuilder();
    switch (schema.getType()) {
      case NULL: return "null";
      case FLOAT:
      case DOUBLE: return number(((Number) value).doubleValue());
      case BYTES: return quoted(latin(((ByteBuffer) value).array()), true);
      case FIXED: return quoted(latin(((GenericFixed) value).bytes()), true);
      case STRING: return quoted((String) value, false);
      case ENUM: return "\"" + value + "\"";
      case ARRAY:
        for (Object item : (List<?>) value) {
          out.append(out.length() > 0 ? "," : "").append(json(schema.getElementType(), item));
        }
        return "[" + out + "]";
      case MAP:
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
          out.append(out.length() > 0 ? "," : "").append(quoted((String) entry.getKey(), false)).append(":")
              .append(json(schema.getValueType(), entry.getValue()));
        }
        return "{" + out + "}";
      case UNION: return json(schema.getTypes().get(GenericData.get().resolveUnion(schema, value)), value);
      case RECORD:
        for (Schema.Field field : schema.getFields()) {
          out.append(out.length() > 0 ? "," : "").append("\"").append(field.name()).append("\":")
              .append(json(field.schema(), ((IndexedRecord) value).get(field.pos())));
        }
        return "{" + out + "}";
      default: return value.toString();
    }
  }

  static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  static String latin(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  static String quoted(String text, boolean bytes) {
    StringBuilder out = new StringBuilder("\"");
    text.codePoints().forEach(c -> {
      switch (c) {
        case '"': out.append("\\\""); break;
        case '\\': out.append("\\\\"); break;
        case '\n': out.append("\\n"); break;
        case '\r': out.append("\\r"); break;
        case '\t': out.append("\\t"); break;
        default:
          if (c < 0x20 || c == 0x7f || (bytes && c > 0x7f)) {
            out.append(String.format("\\u%04x", c));
          } else {
            out.appendCodePoint(c);
          }
      }
    });
    return out.append('"').toString();
  }
}
