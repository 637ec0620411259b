/* layer_stream.h - the matrices of decoder layers that do not fit in memory: one set of weights, filled anew for each
 * layer from the mapped checkpoint, while a thread has the next layer read ahead. Inside src/model only.
 *
 * The first layers stay in memory, as many as the budget holds; the others take turns in the one set. A walk over the
 * layers thus reads each streamed layer once, whatever the number of rows in flight. */
#ifndef CF_MODEL_LAYER_STREAM_H
#define CF_MODEL_LAYER_STREAM_H

#include "backend/backend.h"

enum { CF_LAYER_MATRICES = 7 }; /* q, k, v, o, gate, up, down */

typedef struct cf_layer_stream cf_layer_stream;

/* host: [n_layers - first][CF_LAYER_MATRICES] views of the mapped files, copied; they must outlive the stream. */
CF_MUST_USE cf_status cf_layer_stream_create(cf_layer_stream **out, cf_backend *be, const cf_tensor *host,
                                             int64_t first, int64_t n_layers, cf_error *err);
void cf_layer_stream_free(cf_layer_stream *s);

/* The weights of a layer, valid until another one is asked for. */
CF_MUST_USE cf_status cf_layer_stream_get(cf_layer_stream *s, cf_weight *const **out, int64_t layer, cf_error *err);

#endif
