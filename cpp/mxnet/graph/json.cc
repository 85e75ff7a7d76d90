#include "mxnet/graph/json.h"

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
    value_error(kWhat, ": ", reader, " reads node ", node, ", which does not come before it");
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

// Attributes that older files name without the underscores around.
std::string current_key(const std::string& key) {
  for (const char* hidden : {"ctx_group", "lr_mult", "wd_mult", "force_mirroring", "mirror_stage"})
    if (key == hidden) return "__" + key + "__";
  return key;
}

class GraphReader {
 public:
  Symbol read(const Json& graph) {
    if (!graph.get<Json::Object>()) value_error(kWhat, ": the text is no JSON object");
    for (const Json& entry : list_in(graph, "nodes")) nodes_.push_back(read_node(entry));
    std::vector<NodeOutput> outputs;
    for (const Json& head : list_in(graph, "heads")) outputs.push_back(output_at(head, nodes_, "an output"));
    if (outputs.empty()) value_error(kWhat, ": the graph has no outputs");
    return Symbol(std::move(outputs));
  }

 private:
  Ref<Node> read_node(const Json& entry) {
    if (!entry.get<Json::Object>()) value_error(kWhat, ": a node is no JSON object");
    std::string name = text_in(entry, "name"), op_name = text_in(entry, "op");
    const Op* op = op_name == "null" ? nullptr : Registry::get().find(op_name);
    if (!op && op_name != "null")
      value_error(kWhat, ": operator '", op_name, "' of node '", name, "' is not registered");
    Attributes attrs;
    std::vector<std::pair<std::string, Value>> params;
    for (const char* key : {"param", "attr", "attrs"}) {
      const Json* members = entry.find(key);
      if (members && members->get<Json::Object>())
        for (const auto& [k, value] : *members->get<Json::Object>()) take(op, k, attribute_text(value), attrs, params);
    }
    if (!op) return make_variable(std::move(name), std::move(attrs)).outputs()[0].node;
    return read_application(entry, *op, std::move(name), std::move(attrs), params);
  }

  static void take(const Op* op, const std::string& key, std::string text, Attributes& attrs,
                   std::vector<std::pair<std::string, Value>>& params) {
    bool is_field = false;
    if (op)
      for (const FieldSpec& field : op->fields) is_field |= field.name == key;
    if (is_field) params.emplace_back(key, Value(text));
    attrs[is_field ? key : current_key(key)] = std::move(text);
  }

  Ref<Node> read_application(const Json& entry, const Op& op, std::string name, Attributes attrs,
                             const std::vector<std::pair<std::string, Value>>& params) {
    Application application{&op, read_params(op, name, params), name, std::move(attrs), {}, {}};
    std::string reader = "node '" + name + "'";
    std::vector<NodeOutput> given;
    for (const Json& input : list_in(entry, "inputs")) given.push_back(output_at(input, nodes_, reader));
    place(application, given);
    if (const Json* subgraphs = entry.find("subgraphs"); subgraphs && subgraphs->get<Json::List>())
      for (const Json& subgraph : *subgraphs->get<Json::List>())
        application.subgraphs.push_back(GraphReader().read(subgraph));
    Symbol symbol = apply(std::move(application));
    if (symbol.outputs().empty()) value_error(kWhat, ": ", reader, " has no outputs");
    return symbol.outputs()[0].node;
  }

  static ParamsRef read_params(const Op& op, const std::string& name,
                               const std::vector<std::pair<std::string, Value>>& params) {
    try {
      return make_params(op, params);
    } catch (const Error& error) {
      throw Error(error.kind(), str(kWhat, ": node '", name, "': ", error.what()));
    }
  }

  // Files leave out inputs that the parameters switch off, and old ones the auxiliary states.
  static void place(Application& application, std::vector<NodeOutput>& given) {
    const Op& op = *application.op;
    std::vector<size_t> slots;
    if (!op.is_variadic())
      for (size_t i = 0; i < op.inputs.size(); ++i)
        if (has_input(op, application.params, static_cast<int>(i))) slots.push_back(i);
    if (op.is_variadic() || given.size() > slots.size()) {
      application.inputs = std::move(given);
      return;
    }
    for (size_t i = given.size(); i < slots.size(); ++i)
      if (!op.inputs[slots[i]].is_mutable)
        value_error(kWhat, ": node '", application.name, "': ", op.name, " lacks its input '", op.inputs[slots[i]].name,
                    "'");
    application.inputs.resize(op.inputs.size());
    for (size_t i = 0; i < given.size(); ++i) application.inputs[slots[i]] = std::move(given[i]);
  }

  std::vector<Ref<Node>> nodes_;
};

}  // namespace

std::string to_json(const Symbol& symbol) {
  JsonWriter writer;
  writer.graph(symbol, 0, true);
  return writer.take();
}

Symbol from_json(std::string_view text) { return GraphReader().read(parse_json(text, kWhat)); }

}  // namespace mxnet
