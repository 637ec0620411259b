/* pickle.c - see pickle.h. Instructions: CPython Lib/pickletools.py; which of them appear, and in what order: torch 2.13
 * torch/serialization.py (persistent_id) and torch/_utils.py (_rebuild_tensor_v2).
 *
 * State, invariants:
 * (1) Values are never changed once made, but for dictionaries, whose members lie in pairs[] with their number: memo
 *     entries are plain copies, and a dictionary that holds itself is a number in a list that is walked once.
 * (2) Every instruction takes a byte at least and adds a bounded number of values, the stack is bounded, and memo
 *     numbers are dense: memory grows with the pickle's size and no faster. Nothing recurses. */
#include "checkpoint/pickle.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "checkpoint/pickle_names.h"

enum {
    MAX_PICKLE_BYTES = 4 << 20, /* a 7B model has 50 KB */
    MAX_STACK = 1 << 16         /* the pickler empties it every 1000 members */
};

typedef enum kind {
    K_MARK,
    K_BOOL,
    K_INT,
    K_TEXT,
    K_TUPLE,
    K_DICT,
    K_ORDERED,
    K_CALL,
    K_DTYPE,
    K_STORAGE,
    K_TENSOR
} kind;

/* What a K_CALL stands for. */
enum { CALL_REBUILD, CALL_ORDERED };

typedef struct value {
    kind kind;
    union {
        int64_t number; /* K_BOOL, K_INT; K_CALL: which; K_DICT, K_ORDERED: its number */
        cf_slice text;
        struct {
            size_t at, n; /* in items[] */
        } tuple;
        const cf_pickled_dtype *dtype;
        size_t index; /* in storages[] or tensors[] */
    } as;
} value;

typedef struct storage {
    cf_slice key;
    const cf_pickled_dtype *dtype;
    int64_t n;
} storage;

typedef struct pair {
    int64_t dict;
    cf_slice name;
    value member;
} pair;

/* Growable arrays; each is freed whole. */
typedef struct values {
    value *items;
    size_t n, cap;
} values;

typedef struct machine {
    cf_slice pickle;
    size_t at, op_at; /* the next byte; the instruction being run */
    const char *path;
    cf_error *err;
    values stack, memo, items; /* items: the elements of tuples */
    storage *storages;
    size_t n_storages, cap_storages;
    cf_pickled_tensor *tensors;
    size_t n_tensors, cap_tensors;
    pair *pairs;
    size_t n_pairs, cap_pairs;
    int64_t n_dicts;
} machine;

static const cf_pickled_dtype dtypes[] = {
    {"FloatStorage", "F32", 4, true, CF_F32},      {"HalfStorage", "F16", 2, true, CF_F16},
    {"BFloat16Storage", "BF16", 2, true, CF_BF16}, {"DoubleStorage", "F64", 8, false, CF_F32},
    {"LongStorage", "I64", 8, false, CF_F32},      {"IntStorage", "I32", 4, false, CF_F32},
    {"ShortStorage", "I16", 2, false, CF_F32},     {"CharStorage", "I8", 1, false, CF_F32},
    {"ByteStorage", "U8", 1, false, CF_F32},       {"BoolStorage", "BOOL", 1, false, CF_F32},
};

static cf_status fault(const machine *m, const char *what)
{
    return cf_fail(m->err, CF_FORMAT, "%s: data.pkl, byte %zu: %s", m->path, m->op_at, what);
}

static cf_status append(machine *m, values *list, value v)
{
    void *items = list->items;
    const cf_status st = cf_grow(&items, &list->cap, list->n + 1, sizeof v, "a pickle", m->err);
    if (st != CF_OK)
        return st;
    list->items = items;
    list->items[list->n++] = v;
    return CF_OK;
}

static cf_status push(machine *m, value v)
{
    return m->stack.n < MAX_STACK ? append(m, &m->stack, v)
                                  : fault(m, "nested or filled deeper than a state dictionary");
}

static cf_status push_number(machine *m, kind k, int64_t number)
{
    return push(m, (value){k, {.number = number}});
}

/* The top value, of one of two kinds, popped. */
static cf_status pop(value *out, machine *m, kind a, kind b)
{
    if (m->stack.n == 0)
        return fault(m, "nothing on the stack");
    const value v = m->stack.items[m->stack.n - 1];
    if (v.kind != a && v.kind != b)
        return fault(m, "a value of another kind than a state dictionary has here");
    m->stack.n--;
    *out = v;
    return CF_OK;
}

/* That n more bytes are there. */
static cf_status need(const machine *m, uint64_t n)
{
    return n <= m->pickle.n - m->at ? CF_OK : fault(m, "the pickle ends inside an instruction");
}

static cf_status take_unsigned(uint64_t *out, machine *m, size_t n)
{
    const cf_status st = need(m, n);
    if (st != CF_OK)
        return st;
    uint64_t v = 0;
    for (size_t i = n; i-- > 0;)
        v = v << 8 | (unsigned char)m->pickle.data[m->at + i];
    m->at += n;
    *out = v;
    return CF_OK;
}

/* A two's complement number of n bytes, 0 to 8; none at all is 0. */
static cf_status push_signed(machine *m, size_t n)
{
    uint64_t v = 0;
    const cf_status st = take_unsigned(&v, m, n);
    if (st != CF_OK)
        return st;
    if (n > 0 && n < 8 && v >> (8 * n - 1))
        v |= ~(uint64_t)0 << 8 * n;
    return push_number(m, K_INT, (int64_t)v);
}

static cf_status push_text(machine *m)
{
    uint64_t n = 0;
    cf_status st = take_unsigned(&n, m, 4);
    if (st == CF_OK)
        st = need(m, n);
    if (st != CF_OK)
        return st;
    const cf_slice text = {m->pickle.data + m->at, (size_t)n};
    m->at += text.n;
    return push(m, (value){K_TEXT, {.text = text}});
}

/* The rest of the line. */
static cf_status take_line(cf_slice *out, machine *m)
{
    const char *begin = m->pickle.data + m->at, *end = memchr(begin, '\n', m->pickle.n - m->at);
    if (!end)
        return fault(m, "the pickle ends inside an instruction");
    *out = (cf_slice){begin, (size_t)(end - begin)};
    m->at += out->n + 1;
    return CF_OK;
}

static cf_status push_global(machine *m)
{
    cf_slice module = {0}, name = {0};
    cf_status st = take_line(&module, m);
    if (st == CF_OK)
        st = take_line(&name, m);
    if (st != CF_OK)
        return st;
    if (cf_slice_is(module, "torch._utils") && cf_slice_is(name, "_rebuild_tensor_v2"))
        return push_number(m, K_CALL, CALL_REBUILD);
    if (cf_slice_is(module, "collections") && cf_slice_is(name, "OrderedDict"))
        return push_number(m, K_CALL, CALL_ORDERED);
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (cf_slice_is(module, "torch") && cf_slice_is(name, dtypes[i].storage))
            return push(m, (value){K_DTYPE, {.dtype = &dtypes[i]}});
    const int most = 100; /* of each name in the message */
    return cf_fail(m->err, CF_UNSUPPORTED,
                   "%s: data.pkl, byte %zu: global '%.*s %.*s' is not one of a state dictionary: refused, nothing was "
                   "executed",
                   m->path, m->op_at, module.n < 100 ? (int)module.n : most, module.data,
                   name.n < 100 ? (int)name.n : most, name.data);
}

/* *at = the position of the topmost mark. */
static cf_status find_mark(size_t *at, const machine *m)
{
    for (size_t i = m->stack.n; i-- > 0;)
        if (m->stack.items[i].kind == K_MARK) {
            *at = i;
            return CF_OK;
        }
    return fault(m, "no mark on the stack");
}

/* The values from stack position `first` on become one tuple, in place of those from `base` on. */
static cf_status make_tuple(machine *m, size_t base, size_t first)
{
    cf_status st = CF_OK;
    value v = {K_TUPLE, {.tuple = {m->items.n, m->stack.n - first}}};
    for (size_t i = first; i < m->stack.n; i++)
        CF_TRY(append(m, &m->items, m->stack.items[i]));
    m->stack.n = base;
    CF_TRY(push(m, v));
done:
    return st;
}

/* A tuple's elements; NULL where it has none. */
static const value *elements(const machine *m, const value *t)
{
    return t->as.tuple.n ? m->items.items + t->as.tuple.at : NULL;
}

static cf_status make_short_tuple(machine *m, size_t n)
{
    if (m->stack.n < n)
        return fault(m, "nothing on the stack");
    const size_t first = m->stack.n - n;
    for (size_t i = first; i < m->stack.n; i++)
        if (m->stack.items[i].kind == K_MARK)
            return fault(m, "a mark inside a tuple");
    return make_tuple(m, first, first);
}

static cf_status make_marked_tuple(machine *m)
{
    size_t mark = 0;
    const cf_status st = find_mark(&mark, m);
    return st == CF_OK ? make_tuple(m, mark, mark + 1) : st;
}

/* Memo numbers are counted up by the pickler: a number beyond the next would only ask for memory. */
static cf_status memoize(machine *m, uint64_t number)
{
    if (m->stack.n == 0 || m->stack.items[m->stack.n - 1].kind == K_MARK || number > m->memo.n)
        return fault(m, "a memo entry out of turn");
    const value v = m->stack.items[m->stack.n - 1];
    if (number == m->memo.n)
        return append(m, &m->memo, v);
    m->memo.items[number] = v;
    return CF_OK;
}

static cf_status recall(machine *m, uint64_t number)
{
    const value *v = number < m->memo.n ? &m->memo.items[number] : NULL;
    return v ? push(m, *v) : fault(m, "a memo entry that was never made");
}

static cf_status add_member(machine *m, const value *dict, const value *name, const value *member)
{
    if ((dict->kind != K_DICT && dict->kind != K_ORDERED) || name->kind != K_TEXT || member->kind == K_MARK)
        return fault(m, "expected a dictionary, and names before its members");
    void *pairs = m->pairs;
    const cf_status st = cf_grow(&pairs, &m->cap_pairs, m->n_pairs + 1, sizeof *m->pairs, "a pickle", m->err);
    if (st != CF_OK)
        return st;
    m->pairs = pairs;
    m->pairs[m->n_pairs++] = (pair){dict->as.number, name->as.text, *member};
    return CF_OK;
}

/* Sets the names and members from stack position `first` on in the dictionary below `base`. */
static cf_status set_members(machine *m, size_t base, size_t first)
{
    cf_status st = CF_OK;
    if (base == 0 || (m->stack.n - first) % 2 != 0)
        return fault(m, "expected a dictionary, and names before its members");
    const value dict = m->stack.items[base - 1];
    for (size_t i = first; i < m->stack.n; i += 2)
        CF_TRY(add_member(m, &dict, &m->stack.items[i], &m->stack.items[i + 1]));
    m->stack.n = base;
done:
    return st;
}

static cf_status set_one(machine *m)
{
    if (m->stack.n < 3)
        return fault(m, "nothing on the stack");
    return set_members(m, m->stack.n - 2, m->stack.n - 2);
}

static cf_status set_marked(machine *m)
{
    size_t mark = 0;
    const cf_status st = find_mark(&mark, m);
    return st == CF_OK ? set_members(m, mark, mark + 1) : st;
}

/* The attributes of an OrderedDict (state_dict()'s _metadata): dropped. */
static cf_status build(machine *m)
{
    value state = {0}, object = {0};
    cf_status st = pop(&state, m, K_DICT, K_DICT);
    if (st == CF_OK)
        st = pop(&object, m, K_ORDERED, K_ORDERED);
    return st == CF_OK ? push(m, object) : st;
}

/* ("storage", storage class, key, location, number of elements) */
static cf_status push_storage(machine *m)
{
    value t = {0};
    cf_status st = pop(&t, m, K_TUPLE, K_TUPLE);
    if (st != CF_OK)
        return st;
    const value *v = elements(m, &t);
    if (t.as.tuple.n != 5 || v[0].kind != K_TEXT || !cf_slice_is(v[0].as.text, "storage") || v[1].kind != K_DTYPE ||
        v[2].kind != K_TEXT || v[3].kind != K_TEXT || v[4].kind != K_INT || v[4].as.number < 0)
        return fault(m, "a persistent id that is not a storage");
    void *storages = m->storages;
    st = cf_grow(&storages, &m->cap_storages, m->n_storages + 1, sizeof *m->storages, "a pickle", m->err);
    if (st != CF_OK)
        return st;
    m->storages = storages;
    m->storages[m->n_storages] = (storage){v[2].as.text, v[1].as.dtype, v[4].as.number};
    return push(m, (value){K_STORAGE, {.index = m->n_storages++}});
}

/* Rank, shape and count; and that the strides are those of row-major order, where a stride matters at all. */
static cf_status read_shape(cf_pickled_tensor *t, const machine *m, const value *shape, const value *strides)
{
    const value *extents = elements(m, shape), *steps = elements(m, strides);
    const size_t n = shape->as.tuple.n;
    if (strides->as.tuple.n != n)
        return fault(m, "a tensor with fewer or more strides than extents");
    for (int32_t i = 0; i < CF_MAX_RANK; i++)
        t->shape[i] = 1;
    t->rank = (int32_t)n;
    t->count = 1;
    bool contiguous = true;
    for (size_t i = n; i-- > 0;) {
        if (extents[i].kind != K_INT || extents[i].as.number < 0 || steps[i].kind != K_INT)
            return fault(m, "an extent or stride of a tensor that is no count");
        const int64_t extent = extents[i].as.number;
        contiguous = contiguous && (extent == 1 || steps[i].as.number == t->count);
        if (__builtin_mul_overflow(t->count, extent, &t->count))
            return fault(m, "a tensor whose shape overflows");
        if (i < CF_MAX_RANK)
            t->shape[i] = extent;
    }
    if (!contiguous && t->count != 0)
        return cf_fail(m->err, CF_UNSUPPORTED,
                       "%s: data.pkl, byte %zu: a tensor that is not contiguous is not supported; call .contiguous() "
                       "before torch.save",
                       m->path, m->op_at);
    return CF_OK;
}

/* _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, backward_hooks) */
static cf_status push_tensor(machine *m, const value *v, size_t n)
{
    if (n != 6 || v[0].kind != K_STORAGE || v[1].kind != K_INT || v[2].kind != K_TUPLE || v[3].kind != K_TUPLE ||
        v[4].kind != K_BOOL || v[5].kind != K_ORDERED)
        return fault(m, "arguments that no tensor is rebuilt from");
    const storage *s = &m->storages[v[0].as.index];
    cf_pickled_tensor t = {.storage = s->key, .dtype = s->dtype, .n_storage = s->n, .offset = v[1].as.number};
    cf_status st = read_shape(&t, m, &v[2], &v[3]);
    if (st != CF_OK)
        return st;
    int64_t end = 0;
    if (t.offset < 0 || __builtin_add_overflow(t.offset, t.count, &end) || end > t.n_storage)
        return fault(m, "a tensor that reaches outside its storage");
    void *tensors = m->tensors;
    st = cf_grow(&tensors, &m->cap_tensors, m->n_tensors + 1, sizeof t, "a pickle", m->err);
    if (st != CF_OK)
        return st;
    m->tensors = tensors;
    m->tensors[m->n_tensors] = t;
    return push(m, (value){K_TENSOR, {.index = m->n_tensors++}});
}

/* The only two calls there are, both of them ours. */
static cf_status reduce(machine *m)
{
    value arguments = {0}, call = {0};
    cf_status st = pop(&arguments, m, K_TUPLE, K_TUPLE);
    if (st == CF_OK)
        st = pop(&call, m, K_CALL, K_CALL);
    if (st != CF_OK)
        return st;
    if (call.as.number == CALL_REBUILD)
        return push_tensor(m, elements(m, &arguments), arguments.as.tuple.n);
    if (arguments.as.tuple.n != 0)
        return fault(m, "an OrderedDict with arguments");
    return push_number(m, K_ORDERED, m->n_dicts++);
}

static cf_status refuse(const machine *m, unsigned op)
{
    const char *name = cf_pickle_opcode_name(op);
    if (name)
        return cf_fail(
            m->err, CF_UNSUPPORTED,
            "%s: data.pkl, byte %zu: opcode %s is not one of a state dictionary: refused, nothing was executed",
            m->path, m->op_at, name);
    return cf_fail(m->err, CF_FORMAT, "%s: data.pkl, byte %zu: 0x%02x is no pickle opcode", m->path, m->op_at, op);
}

static cf_status read_protocol(machine *m)
{
    uint64_t version = 0;
    const cf_status st = take_unsigned(&version, m, 1);
    if (st != CF_OK)
        return st;
    if (version != 2 || m->op_at != 0)
        return cf_fail(m->err, CF_UNSUPPORTED,
                       "%s: data.pkl, byte %zu: pickle protocol %d is not supported, only 2 at the start", m->path,
                       m->op_at, (int)version);
    return CF_OK;
}

/* An instruction whose operand is a count of n bytes. */
static cf_status with_number(machine *m, size_t n, cf_status (*run)(machine *, uint64_t))
{
    uint64_t number = 0;
    const cf_status st = take_unsigned(&number, m, n);
    return st == CF_OK ? run(m, number) : st;
}

static cf_status push_count(machine *m, uint64_t number)
{
    return push_number(m, K_INT, (int64_t)number);
}

static cf_status push_long(machine *m, uint64_t n)
{
    return n <= 8 ? push_signed(m, (size_t)n) : fault(m, "a number of more than 64 bits");
}

static cf_status run_one(machine *m, unsigned op)
{
    switch (op) {
    case OP_PROTO:
        return read_protocol(m);
    case OP_MARK:
        return push_number(m, K_MARK, 0);
    case OP_NEWTRUE:
    case OP_NEWFALSE:
        return push_number(m, K_BOOL, op == OP_NEWTRUE);
    case OP_BININT:
        return push_signed(m, 4);
    case OP_BININT1:
        return with_number(m, 1, push_count);
    case OP_BININT2:
        return with_number(m, 2, push_count);
    case OP_LONG1:
        return with_number(m, 1, push_long);
    case OP_BINUNICODE:
        return push_text(m);
    case OP_EMPTY_DICT:
        return push_number(m, K_DICT, m->n_dicts++);
    case OP_EMPTY_TUPLE:
        return make_short_tuple(m, 0);
    case OP_TUPLE1:
    case OP_TUPLE2:
    case OP_TUPLE3:
        return make_short_tuple(m, op - OP_TUPLE1 + 1);
    case OP_TUPLE:
        return make_marked_tuple(m);
    case OP_BINPUT:
        return with_number(m, 1, memoize);
    case OP_LONG_BINPUT:
        return with_number(m, 4, memoize);
    case OP_BINGET:
        return with_number(m, 1, recall);
    case OP_LONG_BINGET:
        return with_number(m, 4, recall);
    case OP_GLOBAL:
        return push_global(m);
    case OP_BINPERSID:
        return push_storage(m);
    case OP_REDUCE:
        return reduce(m);
    case OP_BUILD:
        return build(m);
    case OP_SETITEM:
        return set_one(m);
    case OP_SETITEMS:
        return set_marked(m);
    default:
        return refuse(m, op);
    }
}

static cf_status run(machine *m)
{
    for (;;) {
        m->op_at = m->at;
        uint64_t op = OP_STOP;
        cf_status st = take_unsigned(&op, m, 1);
        if (st != CF_OK || op == OP_STOP)
            return st;
        st = run_one(m, (unsigned)op);
        if (st != CF_OK)
            return st;
    }
}

/* The members of the dictionary that the program left, as tensors. */
static cf_status collect(cf_pickled_tensor **out, size_t *n_out, machine *m)
{
    cf_status st = CF_OK;
    value top = {0};
    void *memory = NULL;
    CF_TRY(pop(&top, m, K_DICT, K_ORDERED));
    if (m->stack.n != 0 || m->at != m->pickle.n)
        return fault(m, "more than one value");
    CF_TRY(cf_alloc(&memory, m->n_pairs, sizeof **out, "a pickle", m->err));
    cf_pickled_tensor *tensors = memory;
    size_t n = 0;
    for (size_t i = 0; i < m->n_pairs; i++) {
        const pair *p = &m->pairs[i];
        if (p->dict != top.as.number)
            continue;
        if (p->member.kind != K_TENSOR || p->name.n == 0 || memchr(p->name.data, '\0', p->name.n)) {
            st = cf_fail(m->err, CF_UNSUPPORTED, "%s: data.pkl: expected a tensor under each name, '%.*s' is none",
                         m->path, p->name.n < 100 ? (int)p->name.n : 100, p->name.n ? p->name.data : "");
            goto done;
        }
        tensors[n] = m->tensors[p->member.as.index];
        tensors[n++].name = p->name;
    }
    *out = tensors;
    *n_out = n;
    memory = NULL;
done:
    free(memory);
    return st;
}

cf_status cf_pickle_read(cf_pickled_tensor **out, size_t *n_out, cf_slice pickle, const char *path, cf_error *err)
{
    machine m = {.pickle = pickle, .path = path, .err = err};
    cf_status st = CF_OK;
    if (pickle.n > MAX_PICKLE_BYTES)
        return cf_fail(err, CF_FORMAT, "%s: data.pkl: expected at most %d bytes, found %zu", path, MAX_PICKLE_BYTES,
                       pickle.n);
    CF_TRY(run(&m));
    CF_TRY(collect(out, n_out, &m));
done:
    free(m.pairs);
    free(m.tensors);
    free(m.storages);
    free(m.items.items);
    free(m.memo.items);
    free(m.stack.items);
    return st;
}
