#!/usr/bin/env python3
"""Makes tests/image/golden/: small encoded pictures and image.json, what Pillow and transformers' PIL processors make of them.

    python3 tools/make_image_golden.py

Needs transformers, Pillow, numpy and xxhash. Run from the source root; the same versions give the same files. Pictures that are only resized are not
stored: both sides make them with the same generator (lcg below, lcg_image in tests/image/image_golden.c). Large results are stored as XXH3-128.
"""
import io, json, os, struct, sys, zlib
import numpy as np
import PIL, transformers, xxhash
from PIL import Image, ImageDraw
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

OUT = "tests/image/golden"
SEED = 20250611
BICUBIC = Image.Resampling.BICUBIC


def digest(a):
    return xxhash.xxh3_128_hexdigest(np.ascontiguousarray(a).tobytes())


def lcg(w, h, seed):
    """Noise; an odd seed gives 0 and 255 only, which makes the filter overshoot and clip."""
    out, s = bytearray(), seed
    for _ in range(w * h * 3):
        s = (s * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append((255 if s >> 31 else 0) if seed & 1 else s >> 24)
    return Image.frombytes("RGB", (w, h), bytes(out))


# --- encoded pictures -------------------------------------------------------------------------------------------------

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(a, depth, colour, interlace=False, extra=b""):
    """A PNG from samples a [h, w, channels], for the kinds that Pillow does not write."""
    def pack(rows):
        out = b""
        for row in rows:
            flat = row.reshape(-1)
            if depth == 16:
                data = flat.astype(">u2").tobytes()
            elif depth == 8:
                data = flat.astype(np.uint8).tobytes()
            else:
                bits = "".join(format(v, f"0{depth}b") for v in flat)
                bits += "0" * (-len(bits) % 8)
                data = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
            out += b"\0" + data
        return out
    h, w = a.shape[:2]
    if interlace:
        passes = [(0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1)]
        parts = [a[y::dy, x::dx] for y, dy, x, dx in passes]
        body = b"".join(pack(p) for p in parts if p.size)
    else:
        body = pack(a)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, int(interlace)))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", zlib.compress(body, 9)) + chunk(b"IEND", b"")


def jpeg(im, **options):
    out = io.BytesIO()
    im.save(out, "JPEG", **options)
    return out.getvalue()


def resampled(data, old, new):
    """The first component's sampling factors changed in the frame header. Both must give the same number of units of the same number of blocks;
    the picture is scrambled, the stream stays valid, and kinds that Pillow does not write get decoded."""
    data = bytearray(data)
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    assert data[at + 11] == old
    data[at + 11] = new
    return bytes(data)


def encoded_pictures():
    rng = np.random.default_rng(SEED)
    y, x = np.mgrid[:31, :30]
    wave = np.stack([128 + 100 * np.sin(x / 5 + y / 9), 128 + 90 * np.cos(x / 3 - y / 7), (x * 7 + y * 3) % 256], -1)
    im = Image.fromarray(np.clip(wave + rng.normal(0, 12, wave.shape), 0, 255).astype(np.uint8))
    noise = lambda depth, channels: rng.integers(0, 1 << depth, (9, 11, channels))
    files = {}
    for progressive in (False, True):
        p = "progressive_" if progressive else ""
        for name, s in (("444", "4:4:4"), ("422", "4:2:2"), ("420", "4:2:0")):
            files[f"{p}{name}.jpg"] = jpeg(im, quality=70, subsampling=s, progressive=progressive)
        files[f"{p}440.jpg"] = resampled(files[f"{p}422.jpg"], 0x21, 0x12)
        files[f"{p}411.jpg"] = resampled(files[f"{p}420.jpg"], 0x22, 0x41)
        files[f"{p}grey.jpg"] = jpeg(im.convert("L"), quality=70, progressive=progressive)
        files[f"{p}cmyk.jpg"] = jpeg(im.convert("CMYK"), quality=70, progressive=progressive)
        ycck = bytearray(files[f"{p}cmyk.jpg"])
        ycck[ycck.find(b"Adobe") + 11] = 2
        files[f"{p}ycck.jpg"] = bytes(ycck)
    plain_cmyk = files["cmyk.jpg"]
    at = plain_cmyk.find(b"\xff\xee")
    files["cmyk_without_adobe_marker.jpg"] = plain_cmyk[:at] + plain_cmyk[at + 2 + struct.unpack(">H", plain_cmyk[at + 2:at + 4])[0]:]
    files["rgb.jpg"] = jpeg(im, quality=70, keep_rgb=True)
    files["restart.jpg"] = jpeg(im, quality=70, restart_marker_blocks=2)
    exif = Image.Exif()
    exif[0x0112] = 6
    files["exif_rotated.jpg"] = jpeg(im, quality=70, exif=exif)
    files["one_pixel.jpg"] = jpeg(im.crop((0, 0, 1, 1)))

    palette = chunk(b"PLTE", rng.integers(0, 256, 48, dtype=np.uint8).tobytes())
    for depth in (1, 2, 4, 8, 16):
        files[f"grey_{depth}.png"] = png(noise(depth, 1), depth, 0)
        files[f"grey_{depth}_interlaced.png"] = png(noise(depth, 1), depth, 0, True)
    files["grey_16_dark.png"] = png(rng.integers(0, 300, (9, 11, 1)), 16, 0, True)
    files["grey_4_transparent.png"] = png(noise(4, 1), 4, 0, extra=chunk(b"tRNS", b"\0\3"))
    for depth in (1, 2, 4, 8):
        files[f"palette_{depth}.png"] = png(noise(min(depth, 4), 1), depth, 3, extra=palette)
    files["palette_4_interlaced.png"] = png(noise(4, 1), 4, 3, True, palette)
    files["palette_transparent_one.png"] = png(noise(4, 1), 8, 3, extra=palette + chunk(b"tRNS", b"\xff\xff\0"))
    files["palette_transparent_many.png"] = png(noise(4, 1), 8, 3, True, palette + chunk(b"tRNS", bytes(range(0, 160, 10))))
    files["palette_index_past_end.png"] = png(noise(8, 1), 8, 3, extra=palette)
    for depth in (8, 16):
        for kind, channels, colour in (("rgb", 3, 2), ("grey_alpha", 2, 4), ("rgba", 4, 6)):
            files[f"{kind}_{depth}.png"] = png(noise(depth, channels), depth, colour)
            files[f"{kind}_{depth}_interlaced.png"] = png(noise(depth, channels), depth, colour, True)
    key = rng.integers(0, 256, (9, 11, 3))
    files["rgb_8_transparent.png"] = png(key, 8, 2, extra=chunk(b"tRNS", key[0, 0].astype(">u2").tobytes()))
    files["rgb_8_gamma.png"] = png(noise(8, 3), 8, 2, extra=chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"sBIT", b"\5\6\5"))
    files["one_pixel_interlaced.png"] = png(noise(8, 3)[:1, :1], 8, 2, True)
    filtered = io.BytesIO()
    im.save(filtered, "PNG")
    files["rgb_8_filtered.png"] = filtered.getvalue()
    return files


def decode_cases():
    small = dict(size={"shortest_edge": 14}, crop_size=14)
    cases = []
    for name, data in sorted(encoded_pictures().items()):
        with open(f"{OUT}/{name}", "wb") as f:
            f.write(data)
        im = Image.open(io.BytesIO(data))
        rgb = im.convert("RGB")
        cases.append(dict(file=f"{OUT}/{name}", mode=im.mode, width=im.width, height=im.height, hash=digest(np.asarray(rgb)),
                          fitted=digest(fitted(rgb, small))))
    return cases


def demo_hash():
    h, folder = xxhash.xxh3_128(), "demo/questions/images"
    files = sorted(os.listdir(folder))
    for name in files:
        h.update(np.asarray(Image.open(f"{folder}/{name}").convert("RGB")).tobytes())
    return dict(files=[f"{folder}/{n}" for n in files], hash=h.hexdigest())


# --- resize, fit, values ----------------------------------------------------------------------------------------------

def resize_cases():
    shapes = [((1, 1), (1, 1)), ((1, 1), (7, 5)), ((2, 1), (1, 1)), ((1, 9), (3, 3)), ((2, 2), (3, 2)), ((2, 2), (2, 3)), ((3, 3), (2, 2)),
              ((5, 4), (4, 5)), ((7, 7), (7, 7)), ((10, 10), (9, 10)), ((10, 10), (10, 9)), ((13, 17), (64, 3)), ((16, 16), (8, 8)),
              ((17, 31), (5, 90)), ((31, 17), (90, 5)), ((33, 65), (65, 33)), ((50, 50), (1, 1)), ((64, 48), (28, 21)), ((99, 2), (2, 99)),
              ((100, 100), (336, 336)), ((120, 90), (119, 91)), ((200, 150), (67, 50)), ((224, 224), (14, 14)), ((300, 1), (7, 7)),
              ((333, 250), (112, 84)), ((336, 336), (168, 168)), ((400, 300), (399, 300)), ((640, 480), (112, 84)), ((1000, 20), (20, 20)),
              ((2000, 50), (50, 2)), ((2000, 50), (672, 17)), ((4, 700), (9, 11)),
              ((40, 100), (20, 60)), ((40, 100), (20, 59)), ((50, 500), (40, 30)), ((60, 121), (30, 60)), ((60, 120), (30, 60))]
    cases = []
    for i, (size, to) in enumerate(shapes):
        cases.append(dict(size=size, to=to, seed=i, hash=digest(np.asarray(lcg(*size, i).resize(to, BICUBIC)))))
    return cases


def processor(config):
    cls = LlavaImageProcessorPil if config.get("image_processor_type", "").startswith("Llava") else CLIPImageProcessorPil
    return cls(**{k: v for k, v in config.items() if k != "image_processor_type"})


def fitted(im, config):
    """[crop_h, crop_w, 3] bytes."""
    a = processor(config)(images=im, do_rescale=False, do_normalize=False)["pixel_values"][0]
    assert a.dtype == np.uint8
    return a.transpose(1, 2, 0)


def values(im, config):
    a = np.asarray(processor(config)(images=im)["pixel_values"][0])
    assert a.dtype == (np.float32 if config.get("do_rescale", True) or config.get("do_normalize", True) else np.uint8)
    return a.astype(np.float32)


CROP28 = dict(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
PAD28 = dict(CROP28, image_processor_type="LlavaImageProcessor", do_pad=True)


def fit_cases():
    square = dict(size={"height": 24, "width": 36}, crop_size={"height": 20, "width": 30})
    table = [("crop, wide", (80, 50), CROP28), ("crop, tall", (50, 81), CROP28), ("crop, long side truncated", (50, 93), CROP28),
             ("crop, square", (64, 64), CROP28), ("crop, enlarged", (9, 13), CROP28), ("crop, one pixel", (1, 1), CROP28),
             ("crop, very wide", (2000, 50), CROP28), ("crop, very tall", (3, 500), CROP28), ("crop, tall and shrunk, rows first", (70, 300), CROP28), ("crop, unchanged size", (28, 28), CROP28),
             ("crop, short side unchanged", (28, 45), CROP28), ("crop, demo shape", (336, 336), dict(size={"shortest_edge": 168}, crop_size=168)),
             ("crop, photograph", (640, 480), dict(size={"shortest_edge": 336}, crop_size=336)),
             ("crop wider than the resized picture", (40, 40), dict(size={"shortest_edge": 20}, crop_size={"height": 20, "width": 29})),
             ("crop larger both ways, odd", (40, 61), dict(size={"shortest_edge": 20}, crop_size=41)),
             ("crop taller, not wider", (61, 40), dict(size={"shortest_edge": 20}, crop_size={"height": 27, "width": 25})),
             ("crop without resize", (45, 37), dict(do_resize=False, crop_size=28)), ("zeros around, without resize", (9, 37), dict(do_resize=False, crop_size=28)),
             ("height and width", (60, 50), square), ("height and width, no crop", (60, 50), dict(size={"height": 24, "width": 36}, do_center_crop=False)),
             ("sizes as numbers", (80, 50), dict(size=28, crop_size=28)),
             ("no rescale", (80, 50), dict(CROP28, do_rescale=False)), ("no normalize", (80, 50), dict(CROP28, do_normalize=False)),
             ("bytes only", (80, 50), dict(CROP28, do_normalize=False, do_rescale=False)),
             ("SigLIP mean and std", (80, 50), dict(CROP28, image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.5, 0.5], rescale_factor=0.00392156862745098)),
             ("pad, wide", (80, 50), PAD28), ("pad, tall", (50, 81), PAD28), ("pad, square", (64, 64), PAD28), ("pad, one row", (100, 1), PAD28),
             ("pad, one pixel", (1, 1), PAD28), ("pad, odd margin enlarged", (9, 6), PAD28),
             ("pad, other mean", (33, 60), dict(PAD28, image_mean=[0.5, 0.25, 0.999])), ("pad, no crop", (50, 33), dict(PAD28, do_center_crop=False)),
             ("pad, photograph", (640, 480), dict(PAD28, size={"shortest_edge": 336}, crop_size=336))]
    cases = []
    for i, (name, size, config) in enumerate(table):
        im = lcg(*size, 100 + i)
        cases.append(dict(name=name, size=size, seed=100 + i, config=config, fitted=digest(fitted(im, config)),
                          values=digest(values(im, config))))
    return cases


def demo_values():
    config = json.load(open("demo/model/preprocessor_config.json"))
    cases = []
    for file in ("demo/questions/images/000000.jpg", "demo/questions/images/000041.jpg"):
        im = Image.open(file).convert("RGB")
        a = CLIPImageProcessorPil.from_pretrained("demo/model")(images=im)["pixel_values"][0]
        cases.append(dict(file=file, hash=digest(np.asarray(a, np.float32)), first=[float(v) for v in a[:, 0, 0]]))
    return dict(config="demo/model/preprocessor_config.json", pictures=cases)


# --- boxes ------------------------------------------------------------------------------------------------------------

def box_cases():
    crop42 = dict(size={"shortest_edge": 42}, crop_size=42)
    pad42 = dict(crop42, image_processor_type="LlavaImageProcessor", do_pad=True)
    table = [("inside", (84, 84), crop42, 14, [[20, 30, 25, 20]]), ("whole picture", (84, 84), crop42, 14, [[0, 0, 83, 83]]),
             ("one patch exactly", (42, 42), crop42, 14, [[14, 14, 13, 13]]), ("far corner included", (42, 42), crop42, 14, [[14, 14, 14, 14]]),
             ("no extent, same size", (42, 42), crop42, 14, [[20, 20, 0, 0]]), ("no extent, shrunk away", (126, 126), crop42, 14, [[60, 60, 0, 0]]),
             ("no width, a line", (42, 42), crop42, 14, [[28, 3, 0, 30]]), ("thin, blurred away", (300, 300), crop42, 14, [[100, 0, 3, 299]]),
             ("wide enough to keep pure colour", (300, 300), crop42, 14, [[100, 100, 60, 60]]),
             ("across the left border", (84, 84), crop42, 14, [[-10, 30, 30, 10]]), ("across the right border", (84, 84), crop42, 14, [[70, 30, 300, 10]]),
             ("across the top border", (84, 84), crop42, 14, [[30, -500, 20, 520]]), ("across the bottom border", (84, 84), crop42, 14, [[30, 70, 20, 99999999999]]),
             ("around the picture", (84, 84), crop42, 14, [[-5, -5, 100, 100]]), ("last pixel only", (42, 42), crop42, 14, [[41, 41, 5, 5]]),
             ("first pixel only", (42, 42), crop42, 14, [[-5, -5, 5, 5]]),
             ("vanishes under the crop, left", (168, 84), crop42, 14, [[0, 0, 30, 83]]), ("vanishes under the crop, bottom", (84, 200), crop42, 14, [[0, 160, 83, 39]]),
             ("cut by the crop", (168, 84), crop42, 14, [[20, 0, 60, 83]]), ("two boxes", (84, 84), crop42, 14, [[0, 0, 30, 30], [60, 60, 20, 20]]),
             ("two boxes, one lost", (168, 84), crop42, 14, [[0, 0, 20, 20], [80, 30, 20, 20]]), ("enlarged", (20, 30), crop42, 14, [[5, 5, 4, 4]]),
             ("enlarged a pixel", (10, 10), crop42, 14, [[5, 5, 0, 0]]), ("small patches", (84, 84), crop42, 7, [[20, 30, 25, 20]]),
             ("crop not a multiple of the patch", (84, 84), dict(size={"shortest_edge": 45}, crop_size=45), 14, [[60, 60, 23, 23]]),
             ("zeros around", (20, 20), dict(do_resize=False, crop_size=42), 14, [[0, 0, 19, 19]]),
             ("no box", (84, 84), crop42, 14, []),
             ("pad, wide", (168, 84), pad42, 14, [[0, 0, 60, 83]]), ("pad, tall", (84, 168), pad42, 14, [[10, 100, 60, 60]]),
             ("pad, kept at the border", (168, 84), pad42, 14, [[0, 0, 30, 83]]), ("pad, across the border", (168, 84), pad42, 14, [[150, -20, 90, 60]]),
             ("pad, thin, blurred away", (400, 200), pad42, 14, [[100, 0, 5, 199]]), ("pad, whole picture", (168, 60), pad42, 14, [[0, 0, 167, 59]]),
             ("photograph, crop", (640, 480), dict(size={"shortest_edge": 336}, crop_size=336), 14, [[90, 200, 130, 77]]),
             ("photograph, pad", (640, 480), dict(PAD28, size={"shortest_edge": 336}, crop_size=336), 14, [[90, 200, 130, 77]])]
    cases = []
    for name, size, config, patch, boxes in table:
        mask = Image.new("RGB", size, (0, 255, 0))
        draw = ImageDraw.Draw(mask)
        for x, y, w, h in boxes:
            draw.rectangle((x, y, min(x + w, 1 << 30), min(y + h, 1 << 30)), fill=(255, 0, 0))
        a = fitted(mask, config)
        red = (a == np.array([255, 0, 0])).all(-1)
        rows, cols = a.shape[0] // patch, a.shape[1] // patch
        hit = red[:rows * patch, :cols * patch].reshape(rows, patch, cols, patch).any((1, 3))
        cases.append(dict(name=name, size=size, config=config, patch=patch, boxes=boxes, hits="".join("01"[int(v)] for v in hit.reshape(-1))))
    return cases


def main():
    os.makedirs(OUT, exist_ok=True)
    for old in os.listdir(OUT):
        if old != "tiling.json":  # of make_tiling_golden.py
            os.remove(f"{OUT}/{old}")
    versions = dict(pillow=PIL.__version__, libjpeg_turbo=PIL.features.version_feature("libjpeg_turbo"), transformers=transformers.__version__,
                    numpy=np.__version__, python=sys.version.split()[0])
    golden = dict(metadata=dict(command="python3 tools/make_image_golden.py", seed=SEED, hash="XXH3-128", versions=versions),
                  decode=decode_cases(), demo=demo_hash(), resize=resize_cases(), fit=fit_cases(), values=demo_values(), boxes=box_cases())
    parts = []
    for key, value in golden.items():
        body = "[\n" + ",\n".join("  " + json.dumps(v) for v in value) + "\n ]" if isinstance(value, list) else json.dumps(value)
        parts.append(f' "{key}": {body}')
    with open(f"{OUT}/image.json", "w") as f:
        f.write("{\n" + ",\n".join(parts) + "\n}\n")
    print({k: len(v) for k, v in golden.items()})


if __name__ == "__main__":
    from PIL import features  # noqa: F401
    main()
