/* meter.h - where the time goes: a table of operations that stands before a backend's own and adds up the seconds of each
 * kind. The engine knows nothing of it, and what it computes is the same. */
#ifndef CF_BENCH_METER_H
#define CF_BENCH_METER_H

#include "backend/backend_internal.h"
#include "checkpoint/config.h"

typedef enum part {
    PART_QKVO,    /* products of the attention sublayer */
    PART_GATE_UP, /* products of the MLP */
    PART_DOWN,
    PART_HEAD,  /* logits */
    PART_OTHER, /* other products: the vision tower's */
    PART_ATTENTION,
    PART_KV_PUT,
    PART_NORM,
    PART_ROPE,
    PART_ACTIVATE,
    PART_GATHER, /* rows copied: stacks, kept inputs, conversions */
    PART_COPY,   /* to and from the host */
    N_PARTS
} part;
const char *part_name(part p);

typedef struct meter {
    cf_backend_ops ops; /* first: a backend's table is its meter */
    const cf_backend_ops *inner;
    cf_text_config text; /* tells the products apart */
    double seconds[N_PARTS];
    int64_t calls[N_PARTS];
} meter;

/* Stands before be's table until it is detached; m stays where it is meanwhile. */
void meter_attach(meter *m, cf_backend *be, const cf_text_config *text);
void meter_detach(meter *m, cf_backend *be);
void meter_reset(meter *m);
double meter_total(const meter *m);

#endif
