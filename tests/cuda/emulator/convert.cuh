// convert.cuh - f16 and bf16 to f32 and back for emulated kernels, on the bits: what cvt.rn and cvt.f32 of PTX do. Included by device.cuh, after cf_f16 and cf_bf16.
#ifndef CF_TESTS_CUDA_EMULATOR_CONVERT_CUH
#define CF_TESTS_CUDA_EMULATOR_CONVERT_CUH

static inline float cf_to_f32(cf_bf16 x)
{
    return __uint_as_float(static_cast<uint32_t>(x.bits) << 16);
}

static inline void cf_from_f32(cf_bf16 *y, float x)
{
    const uint32_t u = __float_as_uint(x);
    y->bits = x != x ? 0x7fff : static_cast<uint16_t>((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

static inline float cf_to_f32(cf_f16 x)
{
    const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000u) << 16, magnitude = x.bits & 0x7fffu;
    if (magnitude >= 0x7c00u) // infinity, NaN
        return __uint_as_float(sign | 0x7f800000u | magnitude << 13);
    const float scaled = __uint_as_float(sign | magnitude << 13); // the exponent as if its bias were f32's
    return scaled * 0x1p112f;                                     // 2^(127 - 15); exact, for subnormals too
}

static inline void cf_from_f32(cf_f16 *y, float x)
{
    const uint32_t u = __float_as_uint(x), sign = u >> 16 & 0x8000u, magnitude = u & 0x7fffffffu;
    uint32_t h;
    if (magnitude > 0x7f800000u)
        h = 0x7fffu;
    else if (magnitude >= 0x477ff000u) // 65520, half way from the largest f16 to the next power of two
        h = 0x7c00u;
    else if (magnitude >= 0x38800000u) // 2^-14, the smallest normal f16: the mantissa's last 13 bits are rounded off
        h = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1)) >> 13;
    else // adding 1/2 leaves a subnormal's bits, rounded, at the end of the mantissa: f32 has 2^-24 there
        h = __float_as_uint(__uint_as_float(magnitude) + 0.5f) - 0x3f000000u;
    y->bits = static_cast<uint16_t>(magnitude > 0x7f800000u ? h : sign | h);
}

#endif
