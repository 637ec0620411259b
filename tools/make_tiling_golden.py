#!/usr/bin/env python3
"""Makes tests/image/golden/tiling.json: what transformers makes of pictures as tiles and positions (LLaVA-NeXT).

    python3 tools/make_tiling_golden.py

Needs torch, transformers, Pillow, numpy and xxhash. Run from the source root; the same versions give the same file. Pictures are noise that both sides
make (lcg of make_image_golden.py); arrays are stored as XXH3-128. Tiles come from LlavaNextImageProcessorPil. Positions come from
LlavaNextModel.pack_image_features, run on features that are their own index, so that their order is its own. What transformers does not do (the original
LLaVA's rounding and pair order, its "flat" and "spatial" merges) is restated here from the published code's definition.
"""
import json, math, sys
from types import SimpleNamespace
import numpy as np
import PIL, torch, transformers
from PIL import Image, ImageDraw
from transformers.image_processing_utils import get_patch_output_size, select_best_resolution
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_next.modeling_llava_next import LlavaNextModel
from make_image_golden import digest, lcg

SEED = 20250612
DEFAULT = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]
SMALL = [[h // 12, w // 12] for h, w in DEFAULT]
NEXT28 = dict(image_processor_type="LlavaNextImageProcessor", size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28},
              image_grid_pinpoints=SMALL)
NEXT336 = dict(image_processor_type="LlavaNextImageProcessor", size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336},
               image_grid_pinpoints=DEFAULT)
ALL_UP_TO_6 = [[28 * h, 28 * w] for h in range(1, 7) for w in range(1, 7)]
SHAPES = [(1, 1), (37, 1000), (1000, 37), (672, 336), (336, 336), (500, 375), (640, 480), (333, 500)]


def processor(config):
    return LlavaNextImageProcessorPil(**{k: v for k, v in config.items() if k != "image_processor_type"})


def tiles(im, config):
    """[n, S, S, 3] bytes."""
    a = np.asarray(processor(config)(images=im, do_rescale=False, do_normalize=False)["pixel_values"][0])
    assert a.dtype == np.uint8
    return a.transpose(0, 2, 3, 1)


def values(im, config):
    a = np.asarray(processor(config)(images=im)["pixel_values"][0])
    assert a.dtype == np.float32
    return a


# --- positions --------------------------------------------------------------------------------------------------------

def pack(features, size, config, patch, newline):
    """features [n, P] -> the picture's positions, -1 for a newline; by transformers. size is (width, height)."""
    model = SimpleNamespace(config=SimpleNamespace(image_grid_pinpoints=config["image_grid_pinpoints"],
                                                   vision_config=SimpleNamespace(image_size=config["crop_size"]["height"], patch_size=patch)))
    packed, lengths = LlavaNextModel.pack_image_features(model, [torch.as_tensor(features, dtype=torch.float64)[..., None]], [size[::-1]],
                                                         "default", torch.tensor([-1.0], dtype=torch.float64) if newline else None)
    assert len(packed) == 1 and lengths.tolist() == [len(packed[0])]
    return packed[0][:, 0].numpy().astype(np.int32)


def pack_original(features, size, grid, side, merge, newline):
    """The same by the original's rules: `grid` is (rows, columns) of tiles, `side` the patches along a tile."""
    features = np.asarray(features, np.int32)
    if merge == "flat":
        return features.reshape(-1)
    hd = features[1:].reshape(*grid, side, side).transpose(0, 2, 1, 3).reshape(grid[0] * side, grid[1] * side)
    if merge == "spatial_unpad":
        (rows, cols), (width, height) = hd.shape, size
        if width / height > cols / rows:
            cut = (rows - int(height * (cols / width))) // 2
            hd = hd[cut:rows - cut]
        else:
            cut = (cols - int(width * (rows / height))) // 2
            hd = hd[:, cut:cols - cut]
    if newline:
        hd = np.concatenate([hd, np.full((len(hd), 1), -1, np.int32)], 1)
    return np.concatenate([features[0], hd.reshape(-1)])


def best_original(size, pinpoints):
    """The original lists (width, height) and goes through them in that sense; returned as (height, width)."""
    return select_best_resolution(size, pinpoints)[::-1]


def indices(n_tiles, patches):
    return np.arange(n_tiles * patches).reshape(n_tiles, patches)


def positions(source, patches):
    role = np.where(source < 0, 2, np.where(source < patches, 0, 1)).astype(np.int32)
    return dict(n_positions=len(source), n_newlines=int((source < 0).sum()), source=digest(source.astype(np.int32)), role=digest(role))


# --- cases ------------------------------------------------------------------------------------------------------------

def tile_cases():
    no_resize = dict(NEXT28, do_resize=False)
    table = [(f"{name}, {w} x {h}", (w, h), config, 14) for name, config in (("tile 28", NEXT28), ("tile 336", NEXT336)) for w, h in SHAPES]
    more = [(1, 1000), (1000, 1), (2, 3), (28, 28), (29, 28), (55, 88), (352, 110), (176, 55), (120, 290), (57, 56)]
    table += [(f"tile 28, {w} x {h}", (w, h), NEXT28, 14) for w, h in more]
    all6 = dict(NEXT28, image_grid_pinpoints=ALL_UP_TO_6)
    table += [(f"up to 6 x 6 tiles, {w} x {h}", (w, h), all6, 14) for w, h in [(1, 1), (37, 100), (150, 149), (300, 37), (333, 500), (28, 400)]]
    one = dict(NEXT28, image_grid_pinpoints=[[28, 28]])
    table += [("a single tile, wide", (50, 20), one, 14), ("a single tile, square", (28, 28), one, 14)]
    square = dict(NEXT28, image_grid_pinpoints=[[84, 84]])
    table += [("whole tiles of padding, wide", (1000, 37), square, 14), ("whole tiles of padding, tall", (37, 1000), square, 14)]
    table += [("patches of 5 leave 3 pixels of 28", (90, 70), NEXT28, 5), ("patches of 7", (90, 41), NEXT28, 7), ("patches of 28", (90, 41), NEXT28, 28),
              ("size larger than the tile", (90, 41), dict(NEXT28, size={"shortest_edge": 32}), 14),
              ("size smaller than the tile", (41, 90), dict(NEXT28, size={"shortest_edge": 20}), 14),
              ("height and width", (90, 41), dict(NEXT28, size={"height": 30, "width": 34}), 14),
              ("no resize", (90, 41), no_resize, 14), ("no resize, larger size", (90, 41), dict(no_resize, size={"shortest_edge": 40}), 14),
              ("no resize, height and width", (90, 41), dict(no_resize, size={"height": 30, "width": 34}), 14),
              ("no crop", (41, 90), dict(NEXT28, do_center_crop=False), 14),
              ("no pad is only about batches", (90, 41), dict(NEXT28, do_pad=False), 14),
              ("another mean", (90, 41), dict(NEXT28, image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.25, 0.5]), 14)]
    cases = []
    for i, (name, size, config, patch) in enumerate(table):
        im, side = lcg(*size, 200 + i), config["crop_size"]["height"] // patch
        bytes_, packed = tiles(im, config), {}
        features = indices(len(bytes_), side * side)
        best = select_best_resolution(size[::-1], config["image_grid_pinpoints"])
        grid = [v // config["crop_size"]["height"] for v in best]
        for newline in (True, False):
            packed["unpad" + ("" if newline else ", no newline")] = positions(pack(features, size, config, patch, newline), side * side)
        for merge in ("flat", "spatial", "spatial_unpad"):
            packed[merge] = positions(pack_original(features, size, grid, side, merge, merge == "spatial_unpad"), side * side)
        cases.append(dict(name=name, size=size, seed=200 + i, config=config, patch=patch, n_tiles=len(bytes_), grid=grid, tiles=digest(bytes_),
                          values=digest(values(im, config)), packed=packed))
    return cases


def original_case(name, size, seed):
    """The original's tiles and positions, for a folder whose configurations are CLIP's and LLaVA's own."""
    clip = dict(image_processor_type="CLIPImageProcessor", size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    im, (w, h) = lcg(*size, seed), size
    best = best_original(size, SMALL)
    new_h, new_w = get_patch_output_size(np.zeros((3, h, w), np.uint8), best, "channels_first")
    canvas = Image.new("RGB", best[::-1])
    canvas.paste(im.resize((new_w, new_h)), ((best[1] - new_w) // 2, (best[0] - new_h) // 2))
    pieces = [im.resize((28, 28))] + [canvas.crop((x, y, x + 28, y + 28)) for y in range(0, best[0], 28) for x in range(0, best[1], 28)]
    clip_processor = CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size=28)
    v = np.stack([np.asarray(clip_processor(images=p)["pixel_values"][0]) for p in pieces])
    assert v.dtype == np.float32
    source = pack_original(indices(len(pieces), 4), size, (best[0] // 28, best[1] // 28), 2, "spatial_unpad", True)
    return dict(name=name, size=size, seed=seed, config=clip, pinpoints=SMALL, patch=14, n_tiles=len(pieces), values=digest(v), positions=positions(source, 4))


def original_cases():
    table = [("a small square picture: the upright pinpoint comes first", (20, 20)), ("a small wide picture", (28, 10)),
             ("a wide picture", (90, 41)), ("a tall picture", (41, 90)), ("a photograph", (64, 48)), ("one pixel", (1, 1)),
             ("37 x 1000", (37, 1000)), ("1000 x 37", (1000, 37))]
    return [original_case(name, size, 300 + i) for i, (name, size) in enumerate(table)]


def sweep_shapes(n):
    """Pairs of sides that both make, every other pair from 1 to 1024 and from 1 to 64."""
    s, out = SEED, []
    for i in range(n):
        pair = []
        for _ in range(2):
            s = (s * 1664525 + 1013904223) & 0xFFFFFFFF
            pair.append(1 + (s >> (22 if i & 1 else 26)))
        out.append(tuple(pair))
    return out


def sweep_case(name, config, patch, n, extra):
    """Where everything lies for many shapes, by the functions of transformers: columns of int32, a row a shape."""
    rows, originals = [], []
    tile, side = config["crop_size"]["height"], config["crop_size"]["height"] // patch
    for width, height in extra + sweep_shapes(n):
        for order, out in (("transformers", rows), ("original", originals)):
            if order == "transformers":
                best = select_best_resolution((height, width), config["image_grid_pinpoints"])
            else:
                best = best_original((width, height), config["image_grid_pinpoints"])
            grid = (best[0] // tile, best[1] // tile)
            new_h, new_w = get_patch_output_size(np.empty((3, height, width), np.uint8), best, "channels_first")
            (top, _), (left, _) = LlavaNextImageProcessorPil._get_padding_size(None, (new_h, new_w), best)
            n_tiles = 1 + grid[0] * grid[1]
            features = indices(n_tiles, side * side)
            if order == "transformers":
                source = pack(features, (width, height), config, patch, True)
            else:
                source = pack_original(features, (width, height), grid, side, "spatial_unpad", True)
            hd, n_rows = source[side * side:], int((source < 0).sum())
            out.append((*grid, new_w, new_h, left, top, n_tiles, n_rows, len(hd) // n_rows - 1 if n_rows else 0, len(source), hd[0] if n_rows else 0))
    return dict(name=name, config=config, patch=patch, n=n, extra=extra, transformers=digest(np.array(rows, np.int32)),
                original=digest(np.array(originals, np.int32)), n_rounded=sum(a[7:10] != b[7:10] for a, b in zip(rows, originals) if a[:2] == b[:2]),
                n_turned=sum(a[:2] != b[:2] for a, b in zip(rows, originals)))


def sweep_cases():
    rounding = [(352, 748), (376, 799), (396, 704), (423, 752), (704, 396), (748, 352), (752, 423), (799, 376), (55, 88), (176, 55)]
    extreme = [(1, 1000000), (1000000, 1), (1, 30000), (30000, 1), (65500, 2731), (12000, 14000), (1, 1), (2, 1)]
    return [sweep_case("tile 336", NEXT336, 14, 4000, rounding + extreme), sweep_case("tile 28", NEXT28, 14, 4000, rounding + extreme),
            sweep_case("tile 28, patches of 5", NEXT28, 5, 2000, rounding), sweep_case("up to 6 x 6 tiles", dict(NEXT28, image_grid_pinpoints=ALL_UP_TO_6), 14, 2000, extreme)]


# --- boxes ------------------------------------------------------------------------------------------------------------

def box_cases():
    table = [("inside", (84, 84), NEXT28, 14, [[20, 30, 25, 20]]), ("whole picture, wide", (168, 60), NEXT28, 14, [[0, 0, 167, 59]]),
             ("whole picture, tall", (61, 168), NEXT28, 14, [[0, 0, 60, 167]]), ("wide enough for HD alone", (168, 168), NEXT28, 14, [[80, 80, 9, 9]]),
             ("no extent, shrunk away", (300, 300), NEXT28, 14, [[150, 150, 0, 0]]), ("one pixel, enlarged", (8, 8), NEXT28, 14, [[4, 4, 0, 0]]),
             ("across the tiles' border", (56, 56), NEXT28, 14, [[20, 20, 15, 15]]), ("one patch of HD exactly", (56, 56), NEXT28, 14, [[28, 14, 13, 13]]),
             ("corner", (100, 40), NEXT28, 14, [[90, 30, 50, 50]]), ("across the left border", (100, 40), NEXT28, 14, [[-20, -20, 40, 40]]),
             ("two boxes", (100, 140), NEXT28, 14, [[3, 3, 30, 30], [70, 100, 25, 30]]), ("no box", (100, 140), NEXT28, 14, []),
             ("very wide", (1000, 37), NEXT28, 14, [[400, 5, 200, 25]]), ("very tall, nothing unpadded", (1, 1000), NEXT28, 14, [[0, 100, 0, 300]]),
             ("next to the padding", (100, 30), NEXT28, 7, [[0, 0, 99, 3]]), ("patches of 5 leave 3 pixels", (84, 84), NEXT28, 5, [[0, 0, 83, 83]]),
             ("size larger than the tile", (90, 41), dict(NEXT28, size={"shortest_edge": 32}), 14, [[10, 10, 30, 20]]),
             ("single tile", (40, 30), dict(NEXT28, image_grid_pinpoints=[[28, 28]]), 14, [[2, 2, 18, 26]]),
             ("photograph", (640, 480), NEXT336, 14, [[90, 200, 130, 77]]), ("photograph, upright", (333, 500), NEXT336, 14, [[30, 40, 100, 300], [200, 300, 20, 20]]),
             ("demo shape", (336, 336), NEXT336, 14, [[100, 120, 60, 44]])]
    cases = []
    for name, size, config, patch, boxes in table:
        mask = Image.new("RGB", size, (0, 255, 0))
        draw = ImageDraw.Draw(mask)
        for x, y, w, h in boxes:
            draw.rectangle((x, y, x + w, y + h), fill=(255, 0, 0))
        red = (tiles(mask, config) == np.array([255, 0, 0])).all(-1)
        side = red.shape[1] // patch
        hit = red[:, :side * patch, :side * patch].reshape(len(red), side, patch, side, patch).any((2, 4)).reshape(len(red), -1)
        packed = pack(hit, size, config, patch, True)
        hits = "".join("-01"[v + 1] for v in packed)
        cases.append(dict(name=name, size=size, config=config, patch=patch, boxes=boxes, base="".join("01"[int(v)] for v in hit[0]),
                          n_hit=hits.count("1"), hits=hits if len(hits) < 400 else None, hash=digest((packed == 1).astype(np.uint8))))
    return cases


def main():
    versions = dict(pillow=PIL.__version__, transformers=transformers.__version__, torch=torch.__version__, numpy=np.__version__,
                    python=sys.version.split()[0])
    golden = dict(metadata=dict(command="python3 tools/make_tiling_golden.py", seed=SEED, hash="XXH3-128", versions=versions),
                  tiles=tile_cases(), original=original_cases(), sweep=sweep_cases(), boxes=box_cases())
    parts = []
    for key, value in golden.items():
        body = "[\n" + ",\n".join("  " + json.dumps(v) for v in value) + "\n ]" if isinstance(value, list) else json.dumps(value)
        parts.append(f' "{key}": {body}')
    with open("tests/image/golden/tiling.json", "w") as f:
        f.write("{\n" + ",\n".join(parts) + "\n}\n")
    print({k: len(v) for k, v in golden.items()})


if __name__ == "__main__":
    main()
