#include "mxnet/graph/json.h"

#include <algorithm>

#include "mxnet/graph/json_value.h"
#include "mxnet/op/invoke.h"

namespace mxnet {
namespace {

// --- writing ------------------------------------------------------------------------------------------

// The layout of 1.9.1: an object of more than one member has a line for each, and so has a list of more than ten.
class JsonWriter {
 public:
  void graph(const Symbol& symbol, int indent, bool top) {
    NumberedGraph graph(symbol);
    std::string line = "\n" + std::string(indent + 2, ' ');
    text_ += "{" + line + "\"nodes\": [";
    for (size_t i = 0; i < graph.nodes().size(); ++i) {
      text_ += (i ? ", " : "") + line + "  ";
      node(graph, i, indent + 4);
    }
    text_ += line + "], " + line + "\"arg_nodes\": ";
    std::vector<int> arguments, rows{0};
    for (size_t i = 0; i < graph.nodes().size(); ++i) {
      if (graph.nodes()[i]->is_variable()) arguments.push_back(static_cast<int>(i));
      rows.push_back(graph.first_value(i) + graph.nodes()[i]->num_outputs());
    }
    list(arguments, indent + 2, [](int x) { return std::to_string(x); });
    text_ += ", " + line + "\"node_row_ptr\": ";
    list(rows, indent + 2, [](int x) { return std::to_string(x); });
    text_ += ", " + line + "\"heads\": ";
    list(symbol.outputs(), indent + 2,
         [&](const NodeOutput& o) { return str("[", graph.number_of(o.node.get()), ", ", o.index, ", 0]"); });
    if (top) text_ += ", " + line + "\"attrs\": {\"mxnet_version\": [\"int\", 10901]}";
    text_ += "\n" + std::string(indent, ' ') + "}";
  }

  std::string take() { return std::move(text_); }

 private:
  void node(const NumberedGraph& graph, size_t number, int indent) {
    const Node& node = *graph.nodes()[number];
    std::string line = "\n" + std::string(indent + 2, ' ');
    text_ += "{" + line + "\"op\": " + quoted(node.is_variable() ? "null" : node.op->name) + ", ";
    text_ += line + "\"name\": " + quoted(node.name) + ", ";
    Attributes attrs = all_attributes(node);
    if (!attrs.empty()) {
      text_ += line + "\"attrs\": ";
      attributes(attrs, indent + 2);
      text_ += ", ";
    }
    text_ += line + "\"inputs\": ";
    size_t i = 0;
    list(node.inputs, indent + 2, [&](const NodeOutput& o) {
      int version = node.writes_input(i++) ? 1 : 0;
      return str("[", graph.number_of(o.node.get()), ", ", o.index, ", ", version, "]");
    });
    if (!node.subgraphs.empty()) {
      text_ += ", " + line + "\"subgraphs\": [";
      for (size_t k = 0; k < node.subgraphs.size(); ++k) {
        text_ += (k ? ", " : "") + line + "  ";
        this->graph(node.subgraphs[k], indent + 4, false);
      }
      text_ += line + "]";
    }
    text_ += "\n" + std::string(indent, ' ') + "}";
  }

  // With the parameters that were not given as text, as those of nodes made by a pass.
  static Attributes all_attributes(const Node& node) {
    Attributes attrs = node.attrs;
    if (node.is_variable()) return attrs;
    for (const FieldSpec& field : node.op->fields) {
      if (attrs.contains(field.name)) continue;
      Value value = field.get(node.params->data());
      if (field.required || !(value == field.default_value)) attrs[field.name] = to_text(value);
    }
    return attrs;
  }

  void attributes(const Attributes& attrs, int indent) {
    std::string line = attrs.size() > 1 ? "\n" + std::string(indent + 2, ' ') : "";
    text_ += "{";
    for (bool first = true; const auto& [key, value] : attrs) {
      text_ += (first ? "" : ", ") + line + quoted(key) + ": " + quoted(value);
      first = false;
    }
    text_ += (attrs.size() > 1 ? "\n" + std::string(indent, ' ') : "") + "}";
  }

  template <class Item, class Text>
  void list(const std::vector<Item>& items, int indent, Text&& text) {
    bool tall = items.size() > 10;
    std::string line = tall ? "\n" + std::string(indent + 2, ' ') : "";
    text_ += "[";
    for (size_t i = 0; i < items.size(); ++i) text_ += (i ? ", " : "") + line + text(items[i]);
    text_ += (tall ? "\n" + std::string(indent, ' ') : "") + "]";
  }

  std::string text_;
};

// --- reading ------------------------------------------------------------------------------------------

const std::string kWhat = "load_json";

const Json::List& list_in(const Json& object, const char* key) {
  const Json* found = object.find(key);
  const Json::List* list = found ? found->get<Json::List>() : nullptr;
  if (!list) value_error(kWhat, ": the list '", key, "' is missing");
  return *list;
}

std::string text_in(const Json& object, const char* key) {
  const Json* found = object.find(key);
  const std::string* text = found ? found->get<std::string>() : nullptr;
  if (!text) value_error(kWhat, ": a node has no text '", key, "'");
  return *text;
}

int64_t integer(const Json& value) {
  const double* number = value.get<double>();
  if (!number || *number < 0 || *number > 2e9 || *number != static_cast<int64_t>(*number))
    value_error(kWhat, ": a number of a node or output is missing");
  return static_cast<int64_t>(*number);
}

// [node, output] or [node, output, version].
NodeOutput output_at(const Json& entry, const std::vector<Ref<Node>>& nodes, std::string_view reader) {
  const Json::List* numbers = entry.get<Json::List>();
  if (!numbers || numbers->size() < 2) value_error(kWhat, ": ", reader, " reads something that is no [node, output]");
  int64_t node = integer((*numbers)[0]), output = integer((*numbers)[1]);
  if (node >= static_cast<int64_t>(nodes.size()))
    value_error(kWhat, ": ", reader, " reads node ", node, ", but there are ", nodes.size());
  if (output >= nodes[node]->num_outputs())
    value_error(kWhat, ": ", reader, " reads output ", output, " of '", nodes[node]->name, "', which has ",
                nodes[node]->num_outputs());
  return {nodes[node], static_cast<int>(output)};
}

std::string attribute_text(const Json& value) {
  if (const std::string* text = value.get<std::string>()) return *text;
  if (const double* number = value.get<double>()) return to_text(Value(*number));
  if (const bool* truth = value.get<bool>()) return to_text(Value(*truth));
  value_error(kWhat, ": an attribute is neither text nor a number");
}

bool is_attribute(std::string_view key) { return key.size() > 4 && key.starts_with("__") && key.ends_with("__"); }

// {"attrs": {"mxnet_version": ["int", 10901]}}; files that do not tell are of 0.8 or before.
int64_t version_of(const Json& graph) {
  const Json* attrs = graph.find("attrs");
  const Json* entry = attrs ? attrs->find("mxnet_version") : nullptr;
  const Json::List* pair = entry ? entry->get<Json::List>() : nullptr;
  return pair && pair->size() == 2 ? integer((*pair)[1]) : 800;
}
constexpr int64_t kStatesAreInputs = 900;   // before, files left out auxiliary states and parameters could be missing
constexpr int64_t kStartsAreWritten = 905;  // before, variables did not say how they start; an axis of -1 meant none

// "weight_lr_mult" on an operator is an attribute of its input "weight".
struct InputAttribute {
  std::string input, key, value;
};

class GraphReader {
 public:
  explicit GraphReader(int64_t version) : version_(version) {}

  Symbol read(const Json& graph) {
    if (!graph.get<Json::Object>()) value_error(kWhat, ": the text is no JSON object");
    const Json::List& entries = list_in(graph, "nodes");
    nodes_.resize(entries.size());
    for (size_t i : in_order(entries)) nodes_[i] = read_node(entries[i]);
    std::vector<NodeOutput> outputs;
    for (const Json& head : list_in(graph, "heads")) outputs.push_back(output_at(head, nodes_, "an output"));
    if (outputs.empty()) value_error(kWhat, ": the graph has no outputs");
    return Symbol(std::move(outputs));
  }

 private:
  // The nodes each after those it reads, which files need not keep to.
  static std::vector<size_t> in_order(const Json::List& entries) {
    enum : char { unseen, open, done };
    std::vector<char> state(entries.size(), unseen);
    std::vector<size_t> order;
    std::vector<std::pair<size_t, size_t>> stack;  // node, how many of its inputs were followed
    for (size_t root = 0; root < entries.size(); ++root) {
      if (state[root] == unseen) stack.emplace_back(root, 0), state[root] = open;
      while (!stack.empty()) {
        auto& [node, next] = stack.back();
        const Json::List* inputs = inputs_of(entries[node]);
        if (!inputs || next == inputs->size()) {
          state[node] = done;
          order.push_back(node);
          stack.pop_back();
          continue;
        }
        size_t read = node_number((*inputs)[next++], entries.size(), entries[node]);
        if (state[read] == open) value_error(kWhat, ": ", reader(entries[node]), " depends on itself");
        if (state[read] == unseen) stack.emplace_back(read, 0), state[read] = open;
      }
    }
    return order;
  }

  static const Json::List* inputs_of(const Json& entry) {
    const Json* inputs = entry.find("inputs");
    return inputs ? inputs->get<Json::List>() : nullptr;
  }

  static std::string reader(const Json& entry) { return str("node '", text_in(entry, "name"), "'"); }

  static size_t node_number(const Json& input, size_t count, const Json& entry) {
    const Json::List* numbers = input.get<Json::List>();
    if (!numbers || numbers->size() < 2)
      value_error(kWhat, ": ", reader(entry), " reads something that is no [node, output]");
    int64_t node = integer((*numbers)[0]);
    if (node >= static_cast<int64_t>(count))
      value_error(kWhat, ": ", reader(entry), " reads node ", node, ", but there are ", count);
    return static_cast<size_t>(node);
  }

  Ref<Node> read_node(const Json& entry) {
    if (!entry.get<Json::Object>()) value_error(kWhat, ": a node is no JSON object");
    std::string name = text_in(entry, "name"), op_name = text_in(entry, "op");
    const Op* op = op_name == "null" ? nullptr : Registry::get().find(op_name);
    if (!op && op_name != "null")
      value_error(kWhat, ": operator '", op_name, "' of node '", name, "' is not registered");
    Attributes attrs;
    for (const char* key : {"param", "attr", "attrs"}) {
      const Json* members = entry.find(key);
      if (members && members->get<Json::Object>())
        for (const auto& [k, value] : *members->get<Json::Object>()) attrs[stored_key(k)] = attribute_text(value);
    }
    if (!op) return make_variable(std::move(name), std::move(attrs)).outputs()[0].node;
    return read_application(entry, *op, std::move(name), std::move(attrs));
  }

  Ref<Node> read_application(const Json& entry, const Op& op, std::string name, Attributes attrs) {
    bool searches = op.name == "argmax" || op.name == "argmin";
    if (auto axis = attrs.find("axis"); searches && version_ < kStartsAreWritten && axis != attrs.end())
      if (axis->second == "-1") attrs.erase(axis);
    std::vector<InputAttribute> of_inputs = take_input_attributes(op, attrs);
    ParamsRef params = read_params(op, name, attrs);
    Application application{&op, std::move(params), name, std::move(attrs), {}, {}};
    std::string reader = "node '" + name + "'";
    std::vector<NodeOutput> given;
    for (const Json& input : list_in(entry, "inputs")) given.push_back(output_at(input, nodes_, reader));
    place(application, given);
    if (const Json* subgraphs = entry.find("subgraphs"); subgraphs && subgraphs->get<Json::List>())
      for (const Json& subgraph : *subgraphs->get<Json::List>())
        application.subgraphs.push_back(GraphReader(version_).read(subgraph));
    Symbol symbol = apply(std::move(application));
    if (symbol.outputs().empty()) value_error(kWhat, ": ", reader, " has no outputs");
    Ref<Node> node = symbol.outputs()[0].node;
    if (version_ < kStartsAreWritten) set_starts(*node);
    for (const InputAttribute& attribute : of_inputs) set_on_input(*node, attribute);
    return node;
  }

  // Takes what belongs to the inputs out of the attributes of an operator.
  static std::vector<InputAttribute> take_input_attributes(const Op& op, Attributes& attrs) {
    std::vector<InputAttribute> found;
    for (auto it = attrs.begin(); it != attrs.end();) {
      const std::string& key = it->first;
      auto names_input = [&](std::string_view hidden) {
        return !is_attribute(key) && key.size() > hidden.size() + 1 && key.ends_with(str("_", hidden));
      };
      auto hidden = std::find_if(std::begin(kHiddenKeys), std::end(kHiddenKeys), names_input);
      bool is_field =
          std::any_of(op.fields.begin(), op.fields.end(), [&](const FieldSpec& f) { return f.name == key; });
      if (is_field || hidden == std::end(kHiddenKeys)) {
        ++it;
        continue;
      }
      found.push_back({key.substr(0, key.size() - hidden->size() - 1), stored_key(*hidden), it->second});
      it = attrs.erase(it);
    }
    return found;
  }

  static void set_on_input(const Node& node, const InputAttribute& attribute) {
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (node.op->input_name(node.slots[i]) == attribute.input && node.inputs[i].node->is_variable())
        node.inputs[i].node->attrs[attribute.key] = attribute.value;
  }

  static ParamsRef read_params(const Op& op, const std::string& name, const Attributes& attrs) {
    std::vector<std::pair<std::string, Value>> params;
    for (const auto& [key, text] : attrs)
      if (!is_attribute(key)) params.emplace_back(key, Value(text));
    try {
      return make_params(op, params);
    } catch (const Error& error) {
      throw Error(error.kind(), str(kWhat, ": node '", name, "': ", error.what()));
    }
  }

  // Files leave out inputs that the parameters switch off, and old ones the auxiliary states.
  void place(Application& application, std::vector<NodeOutput>& given) const {
    const Op& op = *application.op;
    std::vector<size_t> slots;
    if (!op.is_variadic())
      for (size_t i = 0; i < op.inputs.size(); ++i)
        if (has_input(op, application.params, static_cast<int>(i))) slots.push_back(i);
    if (op.is_variadic() || given.size() > slots.size()) {
      application.inputs = std::move(given);
      return;
    }
    for (size_t i = given.size(); i < slots.size() && version_ >= kStatesAreInputs; ++i)
      if (!op.inputs[slots[i]].is_mutable)
        value_error(kWhat, ": node '", application.name, "': ", op.name, " lacks its input '", op.inputs[slots[i]].name,
                    "'");
    application.inputs.resize(op.inputs.size());
    for (size_t i = 0; i < given.size(); ++i) application.inputs[slots[i]] = std::move(given[i]);
  }

  int64_t version_;  // of MXNet
  std::vector<Ref<Node>> nodes_;
};

}  // namespace

std::string to_json(const Symbol& symbol) {
  JsonWriter writer;
  writer.graph(symbol, 0, true);
  return writer.take();
}

Symbol from_json(std::string_view text) {
  Json graph = parse_json(text, kWhat);
  return GraphReader(version_of(graph)).read(graph);
}

}  // namespace mxnet
