/* test_pickle.c - the pickle machine by hand-made programs: what torch.save writes runs, everything else is refused where
 * it stands, and nothing of it happens. */
#include "test_checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/pickle.h"
#include "pickles.h"

/* The program in memory of exactly its size, so that a sanitizer sees a read past it. */
static cf_status read_exact(cf_pickled_tensor **out, size_t *n_out, const char *program, size_t n, cf_error *err)
{
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, program, n);
    const cf_status st = cf_pickle_read(out, n_out, (cf_slice){exact, n}, "x.bin", err);
    if (st == CF_OK)
        for (size_t i = 0; i < *n_out; i++) { /* names are borrowed: give them memory that stays */
            const cf_pickled_tensor *t = &(*out)[i];
            (*out)[i].name.data = program + (t->name.data - exact);
            (*out)[i].storage.data = program + (t->storage.data - exact);
        }
    free(exact);
    return st;
}

typedef struct program {
    const char *name, *bytes;
    size_t n;
} program;
#define PROGRAM(name, bytes)                                                                                           \
    {                                                                                                                  \
        name, bytes, sizeof(bytes) - 1                                                                                 \
    }

static void what_torch_writes_gives_its_tensors(void **state)
{
    (void)state;
    static const program good[] = {
        PROGRAM("one member", ONE(VECTOR("0", "\3"))),
        PROGRAM("several members", PROTO "}(" TEXT1("a") VECTOR("0", "\3") "u."),
        PROGRAM("an OrderedDict", PROTO ORDERED "(" TEXT1("a") VECTOR("0", "\3") "u."),
        PROGRAM("attributes",
                PROTO ORDERED "(" TEXT1("a")
                    VECTOR("0", "\3") "u"
                                      "}X\x9\0\0\0_metadata" ORDERED TEXT1("a") "}"
                                                                                "X\7\0\0\0version" INT1("\1") "sss"
                                                                                                              "b."),
        PROGRAM("memo", PROTO "}q\0(" TEXT1("a") "q\1" VECTOR("0", "\3") "q\2"
                                                                         "u."),
        PROGRAM("a wide number",
                PROTO "}" TEXT1("a") TENSOR_OF(STORAGE_OF(GLOBAL("torch", "FloatStorage"), "0", "J\3\0\0\0"), "M\0\0",
                                               "\x8a\1\3\x85", "\x8a\x8\1\0\0\0\0\0\0\0\x85") "s."),
        PROGRAM("zero as a number of no bytes",
                PROTO "}" TEXT1("a") TENSOR_OF(FLOATS("0", "\3"), "\x8a\0", LIST1("\3"), LIST1("\1")) "s."),
        PROGRAM("requires a gradient", PROTO "}" TEXT1("a") REBUILD "(" FLOATS("0", "\3") INT1("\0") LIST1("\3")
                                           LIST1("\1") "\x88" ORDERED "tR"
                                                       "s."),
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cf_pickled_tensor *t = NULL;
        size_t n = 0;
        cf_error err = {0};
        if (read_exact(&t, &n, good[i].bytes, good[i].n, &err) != CF_OK)
            fail_msg("%s: %s", good[i].name, err.text);
        assert_int_equal(n, 1);
        assert_true(cf_slice_is(t->name, "a"));
        assert_true(cf_slice_is(t->storage, "0"));
        assert_string_equal(t->dtype->dtype_name, "F32");
        assert_int_equal(t->n_storage, 3);
        assert_int_equal(t->offset, 0);
        assert_int_equal(t->rank, 1);
        assert_int_equal(t->shape[0], 3);
        assert_int_equal(t->shape[1], 1);
        assert_int_equal(t->count, 3);
        free(t);
    }
}

static void members_come_in_order_and_recall_what_was_said_before(void **state)
{
    (void)state;
    static const char bytes[] = PROTO "}(" TEXT1("a") REBUILD
        "q\0("
        "(X\7\0\0\0storage"
        "q\1" GLOBAL("torch", "BFloat16Storage") "q\2" TEXT1("7") "q\3"
                                                                  "X\6\0\0\0cuda:1"
                                                                  "q\4"
                                                                  "M\0\1"
                                                                  "tQ" INT1("\2") LIST2("\2", "\3")
                                                                      LIST2("\3", "\1") "\x89" ORDERED "tR" TEXT1(
                                                                          "b") "h\0("
                                                                               "(h\1"
                                                                               "h\2"
                                                                               "h\3"
                                                                               "h\4"
                                                                               "M\0\1"
                                                                               "tQ"
                                                                               "M\0\1"
                                                                               "))"
                                                                               "\x89" ORDERED "tR"
                                                                               "q\5" TEXT1("c") "h\5"
                                                                                                "u.";
    cf_pickled_tensor *t = NULL;
    size_t n = 0;
    cf_error err = {0};
    /* b is a scalar behind the last element: outside */
    assert_int_equal(read_exact(&t, &n, bytes, sizeof bytes - 1, &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "a tensor that reaches outside its storage"));
    char *inside = malloc(sizeof bytes);
    assert_non_null(inside);
    memcpy(inside, bytes, sizeof bytes);
    char *at = memmem(inside, sizeof bytes, "M\0\1))", 5);
    assert_non_null(at);
    memcpy(at, "M\xff\0", 3);
    if (read_exact(&t, &n, inside, sizeof bytes - 1, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(n, 3);
    static const struct {
        const char *name;
        int64_t offset, count;
        int32_t rank;
    } expected[] = {{"a", 2, 6, 2}, {"b", 255, 1, 0}, {"c", 255, 1, 0}};
    for (size_t i = 0; i < 3; i++) {
        assert_true(cf_slice_is(t[i].name, expected[i].name));
        assert_true(cf_slice_is(t[i].storage, "7"));
        assert_string_equal(t[i].dtype->dtype_name, "BF16");
        assert_int_equal(t[i].n_storage, 256);
        assert_int_equal(t[i].offset, expected[i].offset);
        assert_int_equal(t[i].count, expected[i].count);
        assert_int_equal(t[i].rank, expected[i].rank);
    }
    assert_int_equal(t[0].shape[0], 2);
    assert_int_equal(t[0].shape[1], 3);
    free(t);
    free(inside);
}

static void a_memo_entry_may_be_made_anew(void **state)
{
    (void)state;
    /* b lies in the storage named by entry 0, which is "7" first and "b" then */
    static const char bytes[] = PROTO "}(" TEXT1("a") REBUILD "((X\7\0\0\0storage" GLOBAL("torch", "FloatStorage")
        TEXT1("0") TEXT1("7") "q\0" INT1("\3") "tQ" INT1("\0") LIST1("\3")
            LIST1("\1") "\x89" ORDERED
                        "tR" TEXT1("b") "q\0" REBUILD
                                        "((X\7\0\0\0storage" GLOBAL("torch", "FloatStorage") "h\0" TEXT1("c")
                                            INT1("\3") "tQ" INT1("\0") LIST1("\3") LIST1("\1") "\x89" ORDERED "tR"
                                                                                               "u.";
    cf_pickled_tensor *t = NULL;
    size_t n = 0;
    cf_error err = {0};
    if (read_exact(&t, &n, bytes, sizeof bytes - 1, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(n, 2);
    assert_true(cf_slice_is(t[0].storage, "0"));
    assert_true(cf_slice_is(t[1].storage, "b"));
    free(t);
}

static void strides_that_are_never_taken_do_not_matter(void **state)
{
    (void)state;
    static const program cases[] = {
        PROGRAM("one row", ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), LIST2("\1", "\3"), LIST2("\x63", "\1")))),
        PROGRAM("one column", ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), LIST2("\3", "\1"), LIST2("\1", "\x63")))),
        PROGRAM("empty, as torch has it",
                ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), LIST2("\2", "\0"), LIST2("\1", "\1")))),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_pickled_tensor *t = NULL;
        size_t n = 0;
        cf_error err = {0};
        if (read_exact(&t, &n, cases[i].bytes, cases[i].n, &err) != CF_OK)
            fail_msg("%s: %s", cases[i].name, err.text);
        assert_int_equal(t->rank, 2);
        assert_int_equal(t->count, i == 2 ? 0 : 3);
        free(t);
    }
}

static void storages_of_other_types_may_be_there(void **state)
{
    (void)state;
    static const struct {
        const char *storage, *dtype;
        bool readable;
    } types[] = {{"FloatStorage", "F32", true},   {"HalfStorage", "F16", true},  {"BFloat16Storage", "BF16", true},
                 {"DoubleStorage", "F64", false}, {"LongStorage", "I64", false}, {"IntStorage", "I32", false},
                 {"ShortStorage", "I16", false},  {"CharStorage", "I8", false},  {"ByteStorage", "U8", false},
                 {"BoolStorage", "BOOL", false}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        cf_str p = {0};
        assert_int_equal(
            cf_str_add(&p, (cf_slice){PROTO "}" TEXT1("a") REBUILD "((X\7\0\0\0storage", 3 + 6 + 33 + 14}, NULL),
            CF_OK);
        assert_int_equal(cf_str_addf(&p, NULL, "ctorch\n%s\n", types[i].storage), CF_OK);
        static const char rest[] =
            TEXT1("0") "X\3\0\0\0cpu" INT1("\4") "tQ" INT1("\0") LIST1("\4") LIST1("\1") "\x89" ORDERED "tRs.";
        assert_int_equal(cf_str_add(&p, (cf_slice){rest, sizeof rest - 1}, NULL), CF_OK);
        cf_pickled_tensor *t = NULL;
        size_t n = 0;
        cf_error err = {0};
        if (cf_pickle_read(&t, &n, cf_str_slice(&p), "x", &err) != CF_OK)
            fail_msg("%s: %s", types[i].storage, err.text);
        assert_string_equal(t->dtype->dtype_name, types[i].dtype);
        assert_int_equal(t->dtype->readable, types[i].readable);
        free(t);
        cf_str_deinit(&p);
    }
}

#define HELLO "X\x0a\0\0\0echo hello"
static const struct {
    program program;
    cf_status status;
    const char *say;
} bad[] = {
    /* what a pickle does to a reader that runs it */
    {PROGRAM("os.system", PROTO GLOBAL("posix", "system") HELLO "\x85R."), CF_UNSUPPORTED,
     "x.bin: data.pkl, byte 2: global 'posix system' is not one of a state dictionary: refused, nothing was executed"},
    {PROGRAM("os.system under a name", PROTO "}" TEXT1("a") GLOBAL("os", "system") HELLO "\x85Rs."), CF_UNSUPPORTED,
     "byte 9: global 'os system'"},
    {PROGRAM("eval", PROTO GLOBAL("builtins", "eval") HELLO "\x85R."), CF_UNSUPPORTED, "global 'builtins eval'"},
    {PROGRAM("getattr", PROTO GLOBAL("builtins", "getattr") "."), CF_UNSUPPORTED, "global 'builtins getattr'"},
    {PROGRAM("old name of builtins", PROTO GLOBAL("__builtin__", "exec") "."), CF_UNSUPPORTED,
     "global '__builtin__ exec'"},
    {PROGRAM("load from bytes", PROTO GLOBAL("torch.storage", "_load_from_bytes") "."), CF_UNSUPPORTED,
     "global 'torch.storage _load_from_bytes'"},
    {PROGRAM("rebuild a parameter", PROTO GLOBAL("torch._utils", "_rebuild_parameter") "."), CF_UNSUPPORTED,
     "global 'torch._utils _rebuild_parameter'"},
    {PROGRAM("an OrderedDict of another module", PROTO GLOBAL("x", "OrderedDict") ")R."), CF_UNSUPPORTED,
     "global 'x OrderedDict'"},
    {PROGRAM("a tensor of another module", PROTO GLOBAL("x", "_rebuild_tensor_v2") "."), CF_UNSUPPORTED,
     "global 'x _rebuild_tensor_v2'"},
    {PROGRAM("a global whose beginning is right", PROTO GLOBAL("torch._utils", "_rebuild_tensor_v22") "."),
     CF_UNSUPPORTED, "_rebuild_tensor_v22'"},
    {PROGRAM("a storage of another module", PROTO GLOBAL("torch.cuda", "FloatStorage") "."), CF_UNSUPPORTED,
     "global 'torch.cuda FloatStorage'"},
    {PROGRAM("quantized storage", PROTO GLOBAL("torch", "QInt8Storage") "."), CF_UNSUPPORTED,
     "global 'torch QInt8Storage'"},
    {PROGRAM("INST", PROTO "(" HELLO "ios\nsystem\n."), CF_UNSUPPORTED,
     "byte 18: opcode INST is not one of a state dictionary: refused, nothing was executed"},
    {PROGRAM("OBJ", PROTO "(" HELLO "o."), CF_UNSUPPORTED, "opcode OBJ"},
    {PROGRAM("STACK_GLOBAL", PROTO TEXT1("a") TEXT1("b") "\x93."), CF_UNSUPPORTED, "byte 14: opcode STACK_GLOBAL"},
    {PROGRAM("NEWOBJ", PROTO GLOBAL("collections", "OrderedDict") ")\x81."), CF_UNSUPPORTED, "opcode NEWOBJ"},
    {PROGRAM("a registered extension", PROTO "\x82\1."), CF_UNSUPPORTED, "opcode EXT1"},
    /* calls with other arguments than torch gives */
    {PROGRAM("a call of a storage class", PROTO GLOBAL("torch", "FloatStorage") ")R."), CF_FORMAT,
     "a value of another kind"},
    {PROGRAM("a call of a text", PROTO TEXT1("a") ")R."), CF_FORMAT, "a value of another kind"},
    {PROGRAM("a call without arguments", PROTO GLOBAL("collections", "OrderedDict") "R."), CF_FORMAT,
     "a value of another kind"},
    {PROGRAM("OrderedDict with arguments", PROTO GLOBAL("collections", "OrderedDict") INT1("\1") "\x85R."), CF_FORMAT,
     "an OrderedDict with arguments"},
    {PROGRAM("rebuilt from nothing", PROTO REBUILD ")R."), CF_FORMAT, "arguments that no tensor is rebuilt from"},
    {PROGRAM("rebuilt from a text",
             PROTO REBUILD "(" TEXT1("a") INT1("\0") LIST1("\1") LIST1("\1") "\x89" ORDERED "tR."),
     CF_FORMAT, "byte 79: arguments that no tensor"},
    {PROGRAM("a fifth argument of another kind",
             ONE(REBUILD "(" FLOATS("0", "\3") INT1("\0") LIST1("\3") LIST1("\1") INT1("\0") ORDERED "tR")),
     CF_FORMAT, "arguments that no tensor"},
    {PROGRAM("hooks of another kind", ONE(REBUILD "(" FLOATS("0", "\3") INT1("\0") LIST1("\3") LIST1("\1") "\x89}tR")),
     CF_FORMAT, "arguments that no tensor"},
    {PROGRAM("a seventh argument",
             ONE(REBUILD "(" FLOATS("0", "\3") INT1("\0") LIST1("\3") LIST1("\1") "\x89" ORDERED "}tR")),
     CF_FORMAT, "arguments that no tensor"},
    {PROGRAM("attributes of a plain dictionary", PROTO "}}b."), CF_FORMAT, "a value of another kind"},
    {PROGRAM("attributes that are no dictionary", PROTO ORDERED INT1("\1") "b."), CF_FORMAT, "a value of another kind"},
    {PROGRAM("attributes of nothing", PROTO "}b."), CF_FORMAT, "nothing on the stack"},
    /* storages */
    {PROGRAM("a persistent id of another kind", PROTO TEXT1("a") "Q."), CF_FORMAT, "a value of another kind"},
    {PROGRAM("a persistent id of four",
             PROTO "(X\7\0\0\0storage" GLOBAL("torch", "FloatStorage") TEXT1("0") TEXT1("c") "tQ."),
     CF_FORMAT, "a persistent id that is not a storage"},
    {PROGRAM("a persistent id of six", PROTO "(X\7\0\0\0storage" GLOBAL("torch", "FloatStorage") TEXT1("0") TEXT1("c")
                                           INT1("\3") INT1("\3") "tQ."),
     CF_FORMAT, "not a storage"},
    {PROGRAM("a persistent id that is no storage",
             PROTO "(X\7\0\0\0storags" GLOBAL("torch", "FloatStorage") TEXT1("0") TEXT1("c") INT1("\3") "tQ."),
     CF_FORMAT, "not a storage"},
    {PROGRAM("a storage of a call", PROTO "(X\7\0\0\0storage" REBUILD TEXT1("0") TEXT1("c") INT1("\3") "tQ."),
     CF_FORMAT, "not a storage"},
    {PROGRAM("a storage under a number",
             PROTO "(X\7\0\0\0storage" GLOBAL("torch", "FloatStorage") INT1("\0") TEXT1("c") INT1("\3") "tQ."),
     CF_FORMAT, "not a storage"},
    {PROGRAM("a storage of negative size",
             PROTO STORAGE_OF(GLOBAL("torch", "FloatStorage"), "0", "J\xff\xff\xff\xff") "."),
     CF_FORMAT, "not a storage"},
    /* tensors */
    {PROGRAM("past its storage", ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), LIST1("\4"), LIST1("\1")))), CF_FORMAT,
     "a tensor that reaches outside its storage"},
    {PROGRAM("past its storage by its offset", ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\1"), LIST1("\3"), LIST1("\1")))),
     CF_FORMAT, "reaches outside"},
    {PROGRAM("empty, past its storage", ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\4"), LIST1("\0"), LIST1("\1")))),
     CF_FORMAT, "reaches outside"},
    {PROGRAM("before its storage", ONE(TENSOR_OF(FLOATS("0", "\3"), "\x8a\1\xff", LIST1("\3"), LIST1("\1")))),
     CF_FORMAT, "reaches outside"},
    {PROGRAM("offset near the largest",
             ONE(TENSOR_OF(FLOATS("0", "\3"), "\x8a\x8\xff\xff\xff\xff\xff\xff\xff\x7f", LIST1("\3"), LIST1("\1")))),
     CF_FORMAT, "reaches outside"},
    {PROGRAM("shape overflows",
             ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), "\x8a\x8\0\0\0\0\0\0\0\x40\x8a\1\4\x86", LIST2("\4", "\1")))),
     CF_FORMAT, "a tensor whose shape overflows"},
    {PROGRAM(
         "shape overflows behind a zero",
         ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), "K\0\x8a\x8\0\0\0\0\0\0\0\x40\x8a\1\4\x87", "K\4K\4K\1\x87"))),
     CF_FORMAT, "shape overflows"},
    {PROGRAM("negative extent", ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), "\x8a\1\xff\x85", LIST1("\1")))),
     CF_FORMAT, "an extent or stride of a tensor that is no count"},
    {PROGRAM("extent as text", ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), TEXT1("3") "\x85", LIST1("\1")))),
     CF_FORMAT, "no count"},
    {PROGRAM("stride as text", ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), LIST1("\3"), TEXT1("1") "\x85"))),
     CF_FORMAT, "no count"},
    {PROGRAM("fewer strides", ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), LIST1("\3"), ")"))), CF_FORMAT,
     "fewer or more strides than extents"},
    {PROGRAM("more strides", ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), LIST1("\3"), LIST2("\1", "\1")))), CF_FORMAT,
     "fewer or more strides"},
    {PROGRAM("every second element", ONE(TENSOR_OF(FLOATS("0", "\6"), INT1("\0"), LIST1("\3"), LIST1("\2")))),
     CF_UNSUPPORTED, "a tensor that is not contiguous is not supported; call .contiguous() before torch.save"},
    {PROGRAM("expanded", ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), LIST2("\2", "\3"), LIST2("\0", "\1")))),
     CF_UNSUPPORTED, "not contiguous"},
    {PROGRAM("negative stride", ONE(TENSOR_OF(FLOATS("0", "\3"), INT1("\0"), LIST1("\3"), "\x8a\1\xff\x85"))),
     CF_UNSUPPORTED, "not contiguous"},
    /* dictionaries */
    {PROGRAM("a number is all there is", PROTO INT1("\1") "."), CF_FORMAT, "a value of another kind"},
    {PROGRAM("a tensor is all there is", PROTO VECTOR("0", "\3") "."), CF_FORMAT, "a value of another kind"},
    {PROGRAM("nothing is there", PROTO "."), CF_FORMAT, "byte 2: nothing on the stack"},
    {PROGRAM("two values are there", PROTO "}}."), CF_FORMAT, "more than one value"},
    {PROGRAM("bytes behind the end", PROTO "}.}"), CF_FORMAT, "more than one value"},
    {PROGRAM("a number among tensors", ONE(INT1("\1"))), CF_UNSUPPORTED,
     "data.pkl: expected a tensor under each name, 'a' is none"},
    {PROGRAM("a dictionary in itself", PROTO "}q\0" TEXT1("a") "h\0s."), CF_UNSUPPORTED, "'a' is none"},
    {PROGRAM("an empty name", PROTO "}X\0\0\0\0" VECTOR("0", "\3") "s."), CF_UNSUPPORTED, "'' is none"},
    {PROGRAM("a name with a NUL", PROTO "}X\2\0\0\0a\0" VECTOR("0", "\3") "s."), CF_UNSUPPORTED,
     "expected a tensor under each name, 'a"},
    {PROGRAM("a number as a name", PROTO "}" INT1("\1") VECTOR("0", "\3") "s."), CF_FORMAT,
     "expected a dictionary, and names before its members"},
    {PROGRAM("a name without a member", PROTO "}(" TEXT1("a") "u."), CF_FORMAT, "names before its members"},
    {PROGRAM("members of a tuple", PROTO ")" TEXT1("a") VECTOR("0", "\3") "s."), CF_FORMAT, "expected a dictionary"},
    {PROGRAM("members of nothing", PROTO "(" TEXT1("a") VECTOR("0", "\3") "u."), CF_FORMAT, "expected a dictionary"},
    {PROGRAM("a member of nothing", PROTO TEXT1("a") VECTOR("0", "\3") "s."), CF_FORMAT, "nothing on the stack"},
    {PROGRAM("a mark as a member", PROTO "}" TEXT1("a") "(s."), CF_FORMAT, "names before its members"},
    {PROGRAM("members without a mark", PROTO "}" TEXT1("a") VECTOR("0", "\3") "u."), CF_FORMAT, "no mark on the stack"},
    /* stack and memo */
    {PROGRAM("a tuple without a mark", PROTO "t."), CF_FORMAT, "no mark on the stack"},
    {PROGRAM("a tuple of nothing", PROTO "\x85."), CF_FORMAT, "nothing on the stack"},
    {PROGRAM("a tuple over a mark", PROTO "(\x85."), CF_FORMAT, "a mark inside a tuple"},
    {PROGRAM("a memo entry that was never made", PROTO "h\0."), CF_FORMAT, "byte 2: a memo entry that was never made"},
    {PROGRAM("the largest memo entry", PROTO "j\xff\xff\xff\xff."), CF_FORMAT, "never made"},
    {PROGRAM("a memo entry out of turn", PROTO "}q\1."), CF_FORMAT, "a memo entry out of turn"},
    {PROGRAM("a memo entry far out of turn", PROTO "}r\xff\xff\xff\xff."), CF_FORMAT, "a memo entry out of turn"},
    {PROGRAM("a memo entry of nothing", PROTO "q\0."), CF_FORMAT, "out of turn"},
    {PROGRAM("a memo entry of a mark", PROTO "(q\0."), CF_FORMAT, "out of turn"},
    /* the bytes */
    {PROGRAM("nothing", ""), CF_FORMAT, "byte 0: the pickle ends inside an instruction"},
    {PROGRAM("no end", PROTO "}"), CF_FORMAT, "byte 3: the pickle ends"},
    {PROGRAM("a text longer than the rest", PROTO "X\xff\xff\xff\xff"
                                                  "a."),
     CF_FORMAT, "byte 2: the pickle ends"},
    {PROGRAM("a number cut", PROTO "J\1\1"), CF_FORMAT, "byte 2: the pickle ends"},
    {PROGRAM("a global cut", PROTO "ctorch\nFloat"), CF_FORMAT, "byte 2: the pickle ends"},
    {PROGRAM("a number of 72 bits", PROTO "\x8a\x9\1\1\1\1\1\1\1\1\1."), CF_FORMAT, "a number of more than 64 bits"},
    {PROGRAM("protocol 4", "\x80\4}."), CF_UNSUPPORTED, "byte 0: pickle protocol 4 is not supported, only 2"},
    {PROGRAM("protocol twice", PROTO PROTO "}."), CF_UNSUPPORTED,
     "byte 2: pickle protocol 2 is not supported, only 2 at the start"},
    {PROGRAM("another file", "version https://git"), CF_FORMAT, "byte 0: 0x76 is no pickle opcode"},
};

static void every_other_program_is_refused_where_it_stands(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cf_pickled_tensor *t = NULL;
        size_t n = 77;
        cf_error err = {0};
        const cf_status st = read_exact(&t, &n, bad[i].program.bytes, bad[i].program.n, &err);
        if (st != bad[i].status || !strstr(err.text, bad[i].say))
            fail_msg("%s: status %d: %s", bad[i].program.name, st, err.text);
        assert_null(t);
        assert_int_equal(n, 77);
    }
}

static void every_opcode_runs_or_is_named(void **state)
{
    (void)state;
    int n_named = 0, n_unknown = 0;
    for (unsigned op = 0; op < 256; op++) {
        const char bytes[] = {'\x80', 2, (char)(unsigned char)op};
        cf_pickled_tensor *t = NULL;
        size_t n = 0;
        cf_error err = {0};
        assert_int_not_equal(read_exact(&t, &n, bytes, sizeof bytes, &err), CF_OK);
        n_named += strstr(err.text, "refused, nothing was executed") != NULL;
        n_unknown += strstr(err.text, "is no pickle opcode") != NULL;
    }
    assert_int_equal(n_named, 68 - 26); /* pickletools knows 68 opcodes */
    assert_int_equal(n_unknown, 256 - 68);
}

static void depth_costs_neither_stack_nor_much_memory(void **state)
{
    (void)state;
    static const struct {
        char first, rest;
        cf_status status;
        const char *say;
    } cases[] = {
        {'(', '(', CF_FORMAT, "nested or filled deeper than a state dictionary"},
        {'}', '}', CF_FORMAT, "nested or filled deeper"},
        {')', '\x85', CF_FORMAT, "a value of another kind"}, /* a tuple in a tuple in a tuple ... */
        {')', '\x88', CF_FORMAT, "nested or filled deeper"},
    };
    enum { N = 1000000 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *bytes = malloc(N);
        assert_non_null(bytes);
        memset(bytes, cases[i].rest, N);
        memcpy(bytes, PROTO, 2);
        bytes[2] = cases[i].first;
        bytes[N - 1] = '.';
        cf_pickled_tensor *t = NULL;
        size_t n = 0;
        cf_error err = {0};
        const cf_status st = cf_pickle_read(&t, &n, (cf_slice){bytes, N}, "x", &err);
        if (st != cases[i].status || !strstr(err.text, cases[i].say))
            fail_msg("%zu: status %d: %s", i, st, err.text);
        free(bytes);
    }
    char *large = calloc(1, (4 << 20) + 1);
    cf_pickled_tensor *t = NULL;
    size_t n = 0;
    cf_error err = {0};
    assert_non_null(large);
    assert_int_equal(cf_pickle_read(&t, &n, (cf_slice){large, (4 << 20) + 1}, "x", &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "expected at most 4194304 bytes, found 4194305"));
    free(large);
}

static void no_cut_and_no_changed_byte_is_read_past(void **state)
{
    (void)state;
    static const char good[] = PROTO ORDERED "q\0(" TEXT1("a") "q\1" VECTOR("0", "\3") "r\2\0\0\0" TEXT1("b")
        TENSOR_OF(FLOATS("1", "\6"), INT1("\0"), LIST2("\2", "\3"), LIST2("\3", "\1")) "u}h\1}sb.";
    cf_pickled_tensor *t = NULL;
    size_t n = 0;
    cf_error err = {0};
    if (read_exact(&t, &n, good, sizeof good - 1, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(n, 2);
    free(t);
    for (size_t k = 0; k + 1 < sizeof good; k++)
        assert_int_not_equal(read_exact(&t, &n, good, k, &err), CF_OK);
    for (size_t k = 0; k + 1 < sizeof good; k++)
        for (int v = 0; v < 256; v++) {
            char changed[sizeof good];
            memcpy(changed, good, sizeof good);
            changed[k] = (char)(unsigned char)v;
            if (read_exact(&t, &n, changed, sizeof good - 1, &err) == CF_OK) {
                for (size_t i = 0; i < n; i++)
                    assert_true(t[i].offset >= 0 && t[i].count >= 0 && t[i].offset + t[i].count <= t[i].n_storage);
                free(t);
            }
        }
}

int test_pickle(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_torch_writes_gives_its_tensors),
        cmocka_unit_test(members_come_in_order_and_recall_what_was_said_before),
        cmocka_unit_test(a_memo_entry_may_be_made_anew),
        cmocka_unit_test(strides_that_are_never_taken_do_not_matter),
        cmocka_unit_test(storages_of_other_types_may_be_there),
        cmocka_unit_test(every_other_program_is_refused_where_it_stands),
        cmocka_unit_test(every_opcode_runs_or_is_named),
        cmocka_unit_test(depth_costs_neither_stack_nor_much_memory),
        cmocka_unit_test(no_cut_and_no_changed_byte_is_read_past),
    };
    return cmocka_run_group_tests_name("pickle", tests, NULL, NULL);
}
