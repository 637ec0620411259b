/* pickles.h - pieces of hand-made pickles, as string literals: sizeof - 1 is their length, NULs included. */
#ifndef CF_TESTS_PICKLES_H
#define CF_TESTS_PICKLES_H

#define PROTO "\x80\2"
#define GLOBAL(module, name) "c" module "\n" name "\n"
#define TEXT1(c) "X\1\0\0\0" c
#define INT1(n) "K" n
#define ORDERED GLOBAL("collections", "OrderedDict") ")R"
/* n elements in the member data/key */
#define STORAGE_OF(type, key, n) "(X\7\0\0\0storage" type TEXT1(key) "X\3\0\0\0cpu" n "tQ"
#define FLOATS(key, n) STORAGE_OF(GLOBAL("torch", "FloatStorage"), key, INT1(n))
#define REBUILD GLOBAL("torch._utils", "_rebuild_tensor_v2")
#define TENSOR_OF(storage, offset, shape, strides) REBUILD "(" storage offset shape strides "\x89" ORDERED "tR"
#define LIST1(a) INT1(a) "\x85"
#define LIST2(a, b) INT1(a) INT1(b) "\x86"
/* A vector of n floats, all of the storage */
#define VECTOR(key, n) TENSOR_OF(FLOATS(key, n), INT1("\0"), LIST1(n), LIST1("\1"))
/* A dictionary of one tensor */
#define ONE(tensor) PROTO "}" TEXT1("a") tensor "s."

#endif
