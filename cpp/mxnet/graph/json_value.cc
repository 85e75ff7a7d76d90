#include "mxnet/graph/json_value.h"

#include <charconv>
#include <cstdint>

#include "mxnet/base/error.h"

namespace mxnet {
namespace {

constexpr int kMaxDepth = 256;

class JsonReader {
 public:
  JsonReader(std::string_view text, const std::string& what) : text_(text), what_(what) {}

  Json read_document() {
    Json value = read(0);
    skip_space();
    if (at_ != text_.size()) bad("there is more after the end");
    return value;
  }

 private:
  [[noreturn]] void bad(const char* problem) const { value_error(what_, ": ", problem, " at byte ", at_); }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  char peek() {
    skip_space();
    if (at_ == text_.size()) bad("the text ends too early");
    return text_[at_];
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c, const char* problem) {
    if (!take(c)) bad(problem);
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Json read(int depth) {
    if (depth > kMaxDepth) bad("the nesting is too deep");
    switch (peek()) {
      case '{': return read_object(depth);
      case '[': return read_list(depth);
      case '"': return {read_string()};
      default: return read_word();
    }
  }

  Json read_object(int depth) {
    ++at_;
    Json::Object members;
    if (take('}')) return {std::move(members)};
    do {
      if (peek() != '"') bad("a key must be text");
      std::string key = read_string();
      expect(':', "a colon is missing");
      members.emplace_back(std::move(key), read(depth + 1));
    } while (take(','));
    expect('}', "a comma or '}' is missing");
    return {std::move(members)};
  }

  Json read_list(int depth) {
    ++at_;
    Json::List items;
    if (take(']')) return {std::move(items)};
    do items.push_back(read(depth + 1));
    while (take(','));
    expect(']', "a comma or ']' is missing");
    return {std::move(items)};
  }

  Json read_word() {
    if (take_word("null")) return {};
    if (take_word("true")) return {true};
    if (take_word("false")) return {false};
    double number = 0;
    auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    if (error != std::errc()) bad("this is no JSON value");
    at_ = static_cast<size_t>(end - text_.data());
    return {number};
  }

  std::string read_string() {
    std::string result;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\')
        read_escape(result);
      else
        result += text_[at_];
    }
    if (at_ == text_.size()) bad("text is not closed");
    ++at_;
    return result;
  }

  void read_escape(std::string& result) {
    if (++at_ == text_.size()) bad("text is not closed");
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (size_t i = kFrom.find(text_[at_]); i != std::string_view::npos) {
      result += kTo[i];
    } else if (text_[at_] == 'u') {
      append_utf8(result, read_code_point());
    } else {
      bad("there is no such escape");
    }
  }

  uint32_t read_hex() {
    uint32_t code = 0;
    if (at_ + 4 >= text_.size()) bad("text is not closed");
    const char* begin = text_.data() + at_ + 1;
    auto [end, error] = std::from_chars(begin, begin + 4, code, 16);
    if (error != std::errc() || end != begin + 4) bad("four hexadecimal digits are missing");
    at_ += 4;
    return code;
  }

  // The character of \uXXXX, or of a pair of surrogates.
  uint32_t read_code_point() {
    uint32_t high = read_hex();
    constexpr uint32_t kReplacement = 0xFFFD;  // for half a pair, which is no character
    if (high < 0xD800 || high > 0xDFFF) return high;
    if (high > 0xDBFF || text_.substr(at_ + 1, 2) != "\\u") return kReplacement;
    at_ += 2;
    uint32_t low = read_hex();
    return low < 0xDC00 || low > 0xDFFF ? kReplacement : 0x10000 + ((high - 0xD800) << 10) + (low & 0x3FF);
  }

  static void append_utf8(std::string& result, uint32_t code) {
    auto add = [&](uint32_t byte) { result += static_cast<char>(byte); };
    if (code < 0x80) return add(code);
    if (code < 0x800) {
      add(0xC0 | code >> 6);
    } else if (code < 0x10000) {
      add(0xE0 | code >> 12);
      add(0x80 | (code >> 6 & 0x3F));
    } else {
      add(0xF0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3F));
      add(0x80 | (code >> 6 & 0x3F));
    }
    add(0x80 | (code & 0x3F));
  }

  std::string_view text_;
  const std::string& what_;
  size_t at_ = 0;
};

}  // namespace

const Json* Json::find(std::string_view key) const {
  const Object* object = get<Object>();
  if (!object) return nullptr;
  for (const auto& [name, value] : *object)
    if (name == key) return &value;
  return nullptr;
}

Json parse_json(std::string_view text, const std::string& what) { return JsonReader(text, what).read_document(); }

std::string quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string result = "\"";
  for (char c : text) {
    static constexpr std::string_view kFrom = "\"\\\b\f\n\r\t", kTo = "\"\\bfnrt";
    if (size_t i = kFrom.find(c); i != std::string_view::npos) {
      result += {'\\', kTo[i]};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      result += {'\\', 'u', '0', '0', kHex[c >> 4 & 15], kHex[c & 15]};
    } else {
      result += c;
    }
  }
  return result + "\"";
}

}  // namespace mxnet
