/* pickle_names.h - the instructions of pickle.c, and the names of those that it refuses. Folder-private. */
#ifndef CF_CHECKPOINT_PICKLE_NAMES_H
#define CF_CHECKPOINT_PICKLE_NAMES_H

enum {
    OP_MARK = '(',
    OP_STOP = '.',
    OP_BININT = 'J',
    OP_BININT1 = 'K',
    OP_BININT2 = 'M',
    OP_BINPERSID = 'Q',
    OP_REDUCE = 'R',
    OP_BINUNICODE = 'X',
    OP_EMPTY_TUPLE = ')',
    OP_BUILD = 'b',
    OP_GLOBAL = 'c',
    OP_BINGET = 'h',
    OP_LONG_BINGET = 'j',
    OP_BINPUT = 'q',
    OP_LONG_BINPUT = 'r',
    OP_SETITEM = 's',
    OP_TUPLE = 't',
    OP_SETITEMS = 'u',
    OP_EMPTY_DICT = '}',
    OP_PROTO = 0x80,
    OP_TUPLE1 = 0x85,
    OP_TUPLE2 = 0x86,
    OP_TUPLE3 = 0x87,
    OP_NEWTRUE = 0x88,
    OP_NEWFALSE = 0x89,
    OP_LONG1 = 0x8a
};

/* The name of an opcode that pickle.c does not run, for messages; NULL where it is none. */
const char *cf_pickle_opcode_name(unsigned op);

#endif
