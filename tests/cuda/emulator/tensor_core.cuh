// tensor_core.cuh - emulated bodies of src/backend/cuda/mma.cuh, which says what each does. A product gathers the fragments of the 32 lanes into matrices by the layout of the PTX ISA, and
// deals the result out again. A copy only notes what to do and fills its target with NaN; the wait carries it out: whoever reads too early gets NaN.
#ifndef CF_TESTS_CUDA_EMULATOR_TENSOR_CORE_CUH
#define CF_TESTS_CUDA_EMULATOR_TENSOR_CORE_CUH

template <typename T> static inline float cf_emulator_half_of(uint32_t word, unsigned int half)
{
    const float2 both = cf_unpack<T>(word);
    return half ? both.y : both.x;
}

template <typename T> struct cf_emulator_product {
    uint32_t a[4], b[2];
    float c[4], d[4];

    static void complete(void *const operands[CF_EMULATOR_WARP], unsigned int)
    {
        float a[16][16], b[16][8];
        for (unsigned int lane = 0; lane < CF_EMULATOR_WARP; lane++) {
            const cf_emulator_product *p = static_cast<cf_emulator_product *>(operands[lane]);
            const unsigned int g = lane / 4, t = lane % 4;
            for (unsigned int i = 0; i < 8; i++) { // the manual's a0 .. a7 and b0 .. b3
                const unsigned int row = i < 2 || (i >= 4 && i < 6) ? g : g + 8;
                a[row][t * 2 + (i & 1) + (i < 4 ? 0 : 8)] = cf_emulator_half_of<T>(p->a[i / 2], i & 1);
            }
            for (unsigned int i = 0; i < 4; i++)
                b[t * 2 + (i & 1) + (i < 2 ? 0 : 8)][g] = cf_emulator_half_of<T>(p->b[i / 2], i & 1);
        }
        for (unsigned int lane = 0; lane < CF_EMULATOR_WARP; lane++) {
            cf_emulator_product *p = static_cast<cf_emulator_product *>(operands[lane]);
            for (unsigned int i = 0; i < 4; i++) {
                const unsigned int row = i < 2 ? lane / 4 : lane / 4 + 8, column = lane % 4 * 2 + (i & 1);
                float sum = p->c[i]; // products of two 16-bit values are exact in f32
                for (unsigned int k = 0; k < 16; k++)
                    sum = fmaf(a[row][k], b[k][column], sum);
                p->d[i] = sum;
            }
        }
    }
};

template <typename T>
static inline void cf_mma(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, const float (&c)[4],
                          CF_EMULATOR_PLACE)
{
    cf_emulator_product<T> p = {{a[0], a[1], a[2], a[3]}, {b0, b1}, {c[0], c[1], c[2], c[3]}, {}};
    cf_emulator_warp(cf_all_lanes, &p, cf_emulator_product<T>::complete, file, line);
    memcpy(d, p.d, sizeof p.d);
}

typedef unsigned char *cf_shared_at;
static inline cf_shared_at cf_shared_address(void *p)
{
    return static_cast<cf_shared_at>(p);
}

template <bool TRANSPOSED> struct cf_emulator_matrices {
    cf_shared_at row;
    uint32_t r[4];

    static void complete(void *const operands[CF_EMULATOR_WARP], unsigned int)
    {
        for (unsigned int lane = 0; lane < CF_EMULATOR_WARP; lane++)
            for (unsigned int m = 0; m < 4; m++) {
                uint16_t pair[2];
                for (unsigned int i = 0; i < 2; i++) {
                    const unsigned int along = lane / 4, across = lane % 4 * 2 + i;
                    const unsigned int row = TRANSPOSED ? across : along, column = TRANSPOSED ? along : across;
                    const cf_emulator_matrices *from = static_cast<cf_emulator_matrices *>(operands[m * 8 + row]);
                    memcpy(&pair[i], from->row + column * sizeof pair[i], sizeof pair[i]);
                }
                memcpy(&static_cast<cf_emulator_matrices *>(operands[lane])->r[m], pair, sizeof pair);
            }
    }
};

template <bool TRANSPOSED>
static inline void cf_emulator_load_matrices(uint32_t (&r)[4], cf_shared_at row, const char *file, int line)
{
    if (reinterpret_cast<uintptr_t>(row) % 16)
        cf_emulator_trap("a matrix row at an address that is no multiple of 16", file, line);
    cf_emulator_matrices<TRANSPOSED> m = {row, {}};
    cf_emulator_warp(cf_all_lanes, &m, cf_emulator_matrices<TRANSPOSED>::complete, file, line);
    memcpy(r, m.r, sizeof m.r);
}

static inline void cf_load_matrices(uint32_t (&r)[4], cf_shared_at row, CF_EMULATOR_PLACE)
{
    cf_emulator_load_matrices<false>(r, row, file, line);
}
static inline void cf_load_matrices_transposed(uint32_t (&r)[4], cf_shared_at row, CF_EMULATOR_PLACE)
{
    cf_emulator_load_matrices<true>(r, row, file, line);
}

// What a thread has started and not yet waited for.
struct cf_emulator_copies {
    enum { MOST = 256 };
    struct {
        cf_shared_at to;
        const void *from;
    } started[MOST];
    unsigned int n;
};

static inline cf_emulator_copies *cf_emulator_copies_of_thread()
{
    static cf_emulator_copies of[1024];
    return &of[threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)];
}

static inline void cf_copy_start(cf_shared_at to, const void *from, CF_EMULATOR_PLACE)
{
    cf_emulator_copies *c = cf_emulator_copies_of_thread();
    if ((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) % 16)
        cf_emulator_trap("a copy of 16 bytes from or to an address that is no multiple of 16", file, line);
    if (c->n == cf_emulator_copies::MOST)
        cf_emulator_trap("more copies under way than the emulator keeps", file, line);
    memset(to, 0xff, 16);
    c->started[c->n].to = to;
    c->started[c->n++].from = from;
}

static inline void cf_copy_wait()
{
    cf_emulator_copies *c = cf_emulator_copies_of_thread();
    for (unsigned int i = 0; i < c->n; i++)
        memcpy(c->started[i].to, c->started[i].from, 16);
    c->n = 0;
}

static inline float cf_exp2(float x)
{
    return exp2f(x);
}

#endif
