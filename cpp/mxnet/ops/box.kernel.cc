#include "mxnet/ops/box.h"

#include <cmath>

#include "mxnet/engine/parallel.h"
#include "mxnet/ops/converted.h"

namespace mxnet {
namespace {

void iou_cpu(const BoxIouParams& p, KernelContext& c) {
  DType wanted = working_type(c.in(0));
  Converted lhs(c.in(0), wanted, true), rhs(c.in(1), wanted, true), out(c.out(0), wanted, false);
  int64_t n = c.in(0).size() / 4, m = c.in(1).size() / 4;
  dispatch_working(wanted, [&]<class C>() {
    BoxColumns<C> columns;
    columns.reserve(m);
    for (int64_t j = 0; j < m; ++j) columns.add(Box<C>::read(rhs.as<C>() + 4 * j, p.format));
    parallel_for(n, 1 + 8192 / (m + 1), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        columns.overlaps(Box<C>::read(lhs.as<C>() + 4 * i, p.format), 0, m, out.as<C>() + i * m);
    });
  });
  out.finish();
}

// ---- Suppression ----

// The rows of one batch item that stay, best first.
template <class C>
std::vector<int64_t> survivors(const BoxNmsParams& p, const C* rows, int64_t n, int64_t width) {
  bool classes = p.id_index >= 0;
  std::vector<int64_t> order;
  for (int64_t i = 0; i < n; ++i) {
    const C* row = rows + i * width;
    if (row[p.score_index] > static_cast<C>(p.valid_thresh) &&
        !(classes && row[p.id_index] == static_cast<C>(p.background_id)))
      order.push_back(i);
  }
  keep_best(order, rows + p.score_index, width, p.topk);
  BoxesByClass<C> kept;
  std::erase_if(order, [&](int64_t i) {
    const C* row = rows + i * width;
    Box<C> box = Box<C>::read(row + p.coord_start, p.in_format);
    BoxColumns<C>& others = kept[classes && !p.force_suppress ? row[p.id_index] : C(0)];
    if (others.suppress(box, static_cast<C>(p.overlap_thresh))) return true;
    others.add(box);
    return false;
  });
  return order;
}

template <class C>
void suppress_rows(const BoxNmsParams& p, const C* rows, int64_t n, int64_t width, C* out, int64_t* place) {
  std::vector<int64_t> order = survivors(p, rows, n, width);
  auto kept = static_cast<int64_t>(order.size());
  for (int64_t k = 0; k < kept; ++k) {
    C* row = std::copy_n(rows + order[k] * width, width, out + k * width) - width;
    if (p.in_format != p.out_format)
      Box<C>::read(row + p.coord_start, p.in_format).write(row + p.coord_start, p.out_format);
    place[k] = order[k];
  }
  std::fill_n(out + kept * width, (n - kept) * width, C(-1));
  std::fill_n(place + kept, n - kept, -1);
}

void nms_cpu(const BoxNmsParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  int64_t width = shape.back(), n = shape[shape.ndim() - 2], batch = shape.product(0, shape.ndim() - 2);
  DType wanted = working_type(c.in(0));
  Converted data(c.in(0), wanted, true), out(c.out(0), wanted, false);
  auto* place = c.out(1).as<int64_t>();
  dispatch_working(wanted, [&]<class C>() {
    const C* rows = data.as<C>();
    if (p.topk == 0) {
      std::copy_n(rows, batch * n * width, out.as<C>());
      for (int64_t i = 0; i < batch; ++i) std::iota(place + i * n, place + (i + 1) * n, 0);
      return;
    }
    parallel_for(batch, 1 + 256 / (n + 1), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        suppress_rows(p, rows + i * n * width, n, width, out.as<C>() + i * n * width, place + i * n);
    });
  });
  out.finish();
}

// ---- Boxes relative to anchors ----

// The index of a reference box as a number; raises if there is none.
template <class C>
int64_t match_of(C match, int64_t count) {
  if (!(match >= 0 && match < static_cast<C>(count)))
    fail(ErrorKind::index, "_contrib_box_encode: match ", match, " is out of range for ", count, " reference boxes");
  return static_cast<int64_t>(match);
}

template <class C>
void encode(const Box<C>& anchor, const Box<C>& ref, const C* means, const C* stds, C* out) {
  out[0] = ((ref.center_x() - anchor.center_x()) / anchor.width() - means[0]) / stds[0];
  out[1] = ((ref.center_y() - anchor.center_y()) / anchor.height() - means[1]) / stds[1];
  out[2] = (std::log(ref.width() / anchor.width()) - means[2]) / stds[2];
  out[3] = (std::log(ref.height() / anchor.height()) - means[3]) / stds[3];
}

void encode_cpu(const NoParams&, KernelContext& c) {
  DType wanted = working_type(c.in(0));
  std::vector<Converted> in;
  for (const TensorView& array : c.inputs) in.emplace_back(array, wanted, true);
  Converted targets(c.out(0), wanted, false), masks(c.out(1), wanted, false);
  int64_t n = c.in(0).shape()[1], count = c.in(3).shape()[1];
  int64_t shared = c.in(2).shape()[0] == 1 ? n : c.in(0).size();  // anchors repeat after so many
  dispatch_working(wanted, [&]<class C>() {
    parallel_for(c.in(0).size(), 1024, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        C* out = targets.as<C>() + 4 * i;
        bool taken = in[0].as<C>()[i] > C(0.5);
        std::fill_n(masks.as<C>() + 4 * i, 4, C(taken));
        std::fill_n(out, 4, C(0));
        if (!taken) continue;
        int64_t match = i / n * count + match_of(in[1].as<C>()[i], count);
        encode(Box<C>::read(in[2].as<C>() + 4 * (i % shared), BoxFormat::corner),
               Box<C>::read(in[3].as<C>() + 4 * match, BoxFormat::corner), in[4].as<C>(), in[5].as<C>(), out);
      }
    });
  });
  targets.finish(), masks.finish();
}

void decode_cpu(const BoxDecodeParams& p, KernelContext& c) {
  DType wanted = working_type(c.in(0));
  Converted data(c.in(0), wanted, true), anchors(c.in(1), wanted, true), out(c.out(0), wanted, false);
  int64_t n = c.in(0).size() / 4, shared = std::max<int64_t>(1, c.in(1).size() / 4);
  dispatch_working(wanted, [&]<class C>() {
    auto limit = [clip = static_cast<C>(p.clip)](C x) { return clip > 0 && x > clip ? clip : x; };
    parallel_for(n, 1024, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const C* x = data.as<C>() + 4 * i;
        Box<C> anchor = Box<C>::read(anchors.as<C>() + 4 * (i % shared), p.format);
        C w = anchor.width(), h = anchor.height();
        C decoded[4] = {x[0] * C(p.std0) * w + anchor.center_x(), x[1] * C(p.std1) * h + anchor.center_y(),
                        std::exp(limit(x[2] * C(p.std2))) * w, std::exp(limit(x[3] * C(p.std3))) * h};
        Box<C>::read(decoded, BoxFormat::center).write(out.as<C>() + 4 * i, BoxFormat::corner);
      }
    });
  });
  out.finish();
}

// ---- Matching ----

template <class C>
void match(const BipartiteMatchingParams& p, const C* score, int64_t rows, int64_t columns, C* row_match,
           C* column_match) {
  std::fill_n(row_match, rows, C(-1));
  std::fill_n(column_match, columns, C(-1));
  C threshold = static_cast<C>(p.threshold);
  std::vector<int64_t> order;
  for (int64_t i = 0; i < rows * columns; ++i)
    if (p.is_ascend ? score[i] < threshold : score[i] > threshold) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return p.is_ascend ? score[a] < score[b] : score[a] > score[b]; });
  int64_t pairs = 0, most = p.topk > 0 ? int64_t{p.topk} + 1 : std::min(rows, columns);  // one more, as in MXNet
  for (int64_t i : order) {
    if (pairs >= most) break;
    int64_t row = i / columns, column = i % columns;
    if (row_match[row] >= 0 || column_match[column] >= 0) continue;
    row_match[row] = static_cast<C>(column), column_match[column] = static_cast<C>(row);
    ++pairs;
  }
}

void match_cpu(const BipartiteMatchingParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  int64_t columns = shape.back(), rows = shape[shape.ndim() - 2], batch = shape.product(0, shape.ndim() - 2);
  DType wanted = working_type(c.in(0));
  Converted data(c.in(0), wanted, true), by_row(c.out(0), wanted, false), by_column(c.out(1), wanted, false);
  dispatch_working(wanted, [&]<class C>() {
    parallel_for(batch, 1 + 4096 / (rows * columns + 1), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        match(p, data.as<C>() + i * rows * columns, rows, columns, by_row.as<C>() + i * rows,
              by_column.as<C>() + i * columns);
    });
  });
  by_row.finish(), by_column.finish();
}

const bool registered = cpu_kernel<BoxIouParams>("_contrib_box_iou", iou_cpu) &&
                        cpu_kernel<BoxNmsParams>("_contrib_box_nms", nms_cpu) &&
                        cpu_kernel<NoParams>("_contrib_box_encode", encode_cpu) &&
                        cpu_kernel<BoxDecodeParams>("_contrib_box_decode", decode_cpu) &&
                        cpu_kernel<BipartiteMatchingParams>("_contrib_bipartite_matching", match_cpu);

}  // namespace
}  // namespace mxnet
