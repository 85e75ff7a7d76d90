#include "mxnet/op/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

namespace mxnet {
namespace {

// A recursive-descent reader of Python literals: numbers, True/False/None, quoted text, tuples and lists.
class LiteralReader {
 public:
  explicit LiteralReader(std::string_view text) : rest_(text) {}

  std::optional<Value> read_all() {
    std::optional<Value> value = read(0);
    skip_space();
    return rest_.empty() ? value : std::nullopt;
  }

 private:
  static constexpr int kMaxDepth = 16;

  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_space();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<Value> read(int depth) {
    skip_space();
    if (rest_.empty() || depth > kMaxDepth) return std::nullopt;
    if (rest_[0] == '(' || rest_[0] == '[') return read_list(depth);
    if (rest_[0] == '\'' || rest_[0] == '"') return read_quoted();
    size_t length = rest_.find_first_of(",)] \n\t");
    std::string_view word = rest_.substr(0, length);
    std::optional<Value> value = read_word(word);
    if (value) rest_.remove_prefix(word.size());
    return value;
  }

  std::optional<Value> read_list(int depth) {
    char close = rest_[0] == '(' ? ')' : ']';
    rest_.remove_prefix(1);
    Value::List items;
    while (!take(close)) {
      std::optional<Value> item = read(depth + 1);
      if (!item) return std::nullopt;
      items.push_back(std::move(*item));
      if (!take(',')) {
        if (!take(close)) return std::nullopt;
        break;
      }
    }
    return Value(std::move(items));
  }

  std::optional<Value> read_quoted() {
    size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) return std::nullopt;
    Value value(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return value;
  }

  static std::optional<Value> read_word(std::string_view word) {
    if (word == "None") return Value();
    if (word == "True" || word == "true") return Value(true);
    if (word == "False" || word == "false") return Value(false);
    const char* end = word.data() + word.size();
    const char* begin = word.data() + (word.starts_with('+') ? 1 : 0);
    int64_t integer = 0;
    if (auto [p, error] = std::from_chars(begin, end, integer);
        error == std::errc() && (p == end || (p + 1 == end && *p == 'L')))
      return Value(integer);
    double real = 0;
    if (auto [p, error] = std::from_chars(begin, end, real); error == std::errc() && p == end) return Value(real);
    return std::nullopt;
  }

  std::string_view rest_;
};

std::string number_text(double x) {
  char buffer[32];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, x);
  std::string text(buffer, error == std::errc() ? end : buffer);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

// The number in text, if the Value is text: symbol.json stores every parameter so.
Value literal(const Value& value) {
  const std::string* text = value.get<std::string>();
  return text ? parse_text(*text) : value;
}

}  // namespace

Value::Value(const Shape& shape) {
  if (!shape.rank_known()) return;
  List list;
  for (int64_t extent : shape) list.emplace_back(extent);
  v = std::move(list);
}

std::string to_text(const Value& value) {
  struct Printer {
    std::string operator()(std::monostate) const { return "None"; }
    std::string operator()(bool x) const { return x ? "True" : "False"; }
    std::string operator()(int64_t x) const { return std::to_string(x); }
    std::string operator()(double x) const { return number_text(x); }
    std::string operator()(const std::string& x) const { return x; }
    std::string operator()(const Value::List& list) const {
      std::string text = "(";
      for (size_t i = 0; i < list.size(); ++i) {
        bool quoted = list[i].get<std::string>() != nullptr;
        text += (i ? ", " : "") + std::string(quoted ? "'" : "") + to_text(list[i]) + (quoted ? "'" : "");
      }
      return text + (list.size() == 1 ? ",)" : ")");
    }
  };
  return std::visit(Printer{}, value.v);
}

Value parse_text(std::string_view text) {
  std::optional<Value> value = LiteralReader(text).read_all();
  return value ? *value : Value(text);
}

void bad_field(const std::string& what, std::string_view wanted, const Value& got) {
  const char* quote = got.get<std::string>() ? "'" : "";
  type_error(what, " must be ", wanted, ", got ", quote, to_text(got), quote);
}

bool FieldType<bool>::from(const Value& value, const std::string& what) {
  if (const bool* x = value.get<bool>()) return *x;
  Value plain = literal(value);
  if (const bool* x = plain.get<bool>()) return *x;
  if (const int64_t* x = plain.get<int64_t>()) return *x != 0;
  if (const double* x = plain.get<double>()) return *x != 0;
  bad_field(what, "a boolean", value);
}

int64_t FieldType<int64_t>::from(const Value& value, const std::string& what) {
  if (const int64_t* x = value.get<int64_t>()) return *x;
  Value plain = literal(value);
  if (const int64_t* x = plain.get<int64_t>()) return *x;
  if (const bool* x = plain.get<bool>()) return *x;
  if (const double* x = plain.get<double>(); x && std::trunc(*x) == *x && std::abs(*x) < 9e18)
    return static_cast<int64_t>(*x);
  bad_field(what, "an int", value);
}

double FieldType<double>::from(const Value& value, const std::string& what) {
  if (const double* x = value.get<double>()) return *x;
  Value plain = literal(value);
  if (const double* x = plain.get<double>()) return *x;
  if (const int64_t* x = plain.get<int64_t>()) return static_cast<double>(*x);
  if (const bool* x = plain.get<bool>()) return *x;
  bad_field(what, "a number", value);
}

Value FieldType<float>::to(float x) {
  if (!std::isfinite(x)) return static_cast<double>(x);
  char text[32];
  double shortest = x;
  std::from_chars(text, std::to_chars(text, text + sizeof text, x).ptr, shortest);
  return shortest;
}

std::string FieldType<std::string>::from(const Value& value, const std::string& what) {
  if (const std::string* x = value.get<std::string>()) return *x;
  if (value.none()) bad_field(what, "a string", value);
  return to_text(value);
}

namespace {

// What NumPy calls an element type beside its full name.
constexpr std::array<std::pair<std::string_view, DType>, 22> kNumpyNames{{
    {"float", DType::float64}, {"double", DType::float64}, {"single", DType::float32}, {"half", DType::float16},
    {"int", DType::int64},     {"long", DType::int64},     {"intc", DType::int32},     {"byte", DType::int8},
    {"ubyte", DType::uint8},   {"f8", DType::float64},     {"f4", DType::float32},     {"f2", DType::float16},
    {"i8", DType::int64},      {"i4", DType::int32},       {"i1", DType::int8},        {"u1", DType::uint8},
    {"d", DType::float64},     {"f", DType::float32},      {"e", DType::float16},      {"i", DType::int32},
    {"l", DType::int64},       {"?", DType::boolean},
}};

}  // namespace

DType FieldType<DType>::from(const Value& value, const std::string& what) {
  if (value.none()) return DType::unknown;
  if (const std::string* x = value.get<std::string>()) {
    if (*x == "None") return DType::unknown;
    auto alias =
        std::find_if(kNumpyNames.begin(), kNumpyNames.end(), [&](const auto& entry) { return entry.first == *x; });
    if (alias != kNumpyNames.end()) return alias->second;
    try {
      return dtype_from_name(*x);
    } catch (const Error& error) {
      type_error(what, ": ", error.what());
    }
  }
  if (const int64_t* x = value.get<int64_t>()) {
    DType dtype = static_cast<DType>(*x);
    if (*x == -1 || (*x >= 0 && *x <= 12 && size_of(dtype))) return dtype;
  }
  bad_field(what, "an element type", value);
}

Shape FieldType<Shape>::from(const Value& value, const std::string& what) {
  Value plain = literal(value);
  if (plain.none()) return Shape();
  Shape shape;
  if (const Value::List* list = plain.get<Value::List>()) {
    for (const Value& item : *list) shape.push_back(FieldType<int64_t>::from(item, what));
  } else {
    shape.push_back(FieldType<int64_t>::from(plain, what));
  }
  return shape;
}

}  // namespace mxnet
