// A JSON document in memory, and its reader: small, and safe on text from anywhere.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mxnet {

struct Json {
  using List = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;
  std::variant<std::monostate, bool, double, std::string, List, Object> v;

  template <class T>
  const T* get() const {
    return std::get_if<T>(&v);
  }
  const Json* find(std::string_view key) const;  // a member of an object; null if there is none
};

// Raises a ValueError "what: <problem> at byte N". Nesting is limited.
Json parse_json(std::string_view text, const std::string& what);

// Text with quotes and escapes.
std::string quoted(std::string_view text);

}  // namespace mxnet
