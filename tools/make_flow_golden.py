#!/usr/bin/env python3
"""Reference values of every kind of run and every score: tests/engine/golden/flows_demo.json and flows_bites.json.

    python3 tools/make_flow_golden.py demo    the demo model                            (about eight minutes)
    python3 tools/make_flow_golden.py bites   the random model in which every cut bites (seconds)

Run from the source root; docs/goldens.md says what the files hold. A run is one forward pass of transformers over the whole sequence, from
layer 0, with a boolean matrix of hidden (query, key) pairs for every layer and a list of zeroed positions for every sublayer: nothing is
reused, nothing is left out. The groups, the modes and the random draw are written here from their definitions, and a flow stands
in the table twice: as the text that the engine parses, and as the Python that says what the text means."""
import argparse

import torch

import golden_reference
from golden_reference import BITES, CUT, ENGINE_GOLDEN, Reference, object_patches, read_rows, span, window, write_json

SEED = 1
REPEATS = 3
NEW_TOKENS = 5
CLEAR = 1e-3  # a token is ahead of another if its logit is by this much; what depends on a smaller lead is not recorded
LENS_CLEAR = 1e-4  # of the largest logit: early entries of the lens are small
INSTRUCTION = "Answer the question using a single word or phrase."
ROLE_WORDS = ["USER:", "ASSISTANT:"]


# ---- groups ----

class Group:
    """Positions as a function of a sample. after: the positions beyond the prompt that may count, none for keys."""

    def __init__(self, positions):
        self.positions = positions

    def __add__(self, other):
        return Group(lambda sample, after: self.positions(sample, after) | other.positions(sample, after))

    def __sub__(self, other):
        return Group(lambda sample, after: self.positions(sample, after) - other.positions(sample, after))

    def __rshift__(self, target):
        return Edge(self, target)

    def keys(self, sample):
        return self.positions(sample, range(0))

    def queries(self, sample, n_after):
        return self.positions(sample, range(sample.length, sample.length + n_after))


class Edge:
    def __init__(self, source, target, layers=None, heads=None):
        self.source, self.target, self.layers, self.heads = source, target, layers, heads

    def at(self, begin, end):
        return Edge(self.source, self.target, range(begin, end), self.heads)

    def only_heads(self, *heads):
        return Edge(self.source, self.target, self.layers, heads)


def named(name):
    return Group(lambda sample, after: set(sample.groups[name]) | (set(after) if name == "Last" else set()))


def cells(begin, end):
    """As Python slices the positions of the prompt."""
    return Group(lambda sample, _after: set(range(sample.length)[begin:end]))


def text(words):
    return Group(lambda sample, _after: set(sample.find(words)))


def box(*xywh):
    return Group(lambda sample, _after: {sample.image_at + p for p in object_patches(sample.ref, sample.picture, [xywh])})


IMAGE, QUESTION, LAST, ALL, TEMPLATE = map(named, ["Image", "Question", "Last", "All", "Template"])
OBJECT, REST = named("Image Central Object"), named("Image Without Central Object")
TRUE, FALSE, NOUN = named("True Option"), named("False Option"), named("Central Object")
ONLY_QUESTION, INSTRUCTIONS, ROLES = named("Question without Options"), named("Instruction"), named("Role Words")
PAD, REST_PAD, BASE = named("Image Pad"), named("Image Without Central Object with pad"), named("Image Original Patch")
HD, OBJECT_HD = named("Image HD Patch Indice"), named("Image Central Object in HD Patch Indice")
REST_HD = named("Image HD Patch Without Central Object Indice")


# ---- flows ----

class Flow:
    def __init__(self, text, *edges, mode="cut", partition=(IMAGE, QUESTION, LAST)):
        self.text, self.mode, self.edges, self.partition = text, mode, edges, partition
        self.repeats = REPEATS if mode == "random" else 1
        self.fixed = all(e.layers for e in edges)


def zero(text, mode, places):
    return Flow(text, Edge(None, places), mode=mode)


FLOWS = [
    # the paper's six
    Flow("Image->Question", IMAGE >> QUESTION),
    Flow("Image->Last", IMAGE >> LAST),
    Flow("Question->Last", QUESTION >> LAST),
    Flow("Last->Last", LAST >> LAST),
    Flow("Image Central Object->Question", OBJECT >> QUESTION),
    Flow("Image Without Central Object->Question", REST >> QUESTION),
    # every other group as keys
    Flow("True Option->Last", TRUE >> LAST),
    Flow("False Option->Last", FALSE >> LAST),
    Flow("Central Object->Last", NOUN >> LAST),
    Flow("Question without Options->Last", ONLY_QUESTION >> LAST),
    Flow("Image Pad->Question", PAD >> QUESTION),
    Flow("Image Without Central Object with pad->Question", REST_PAD >> QUESTION),
    Flow("Image Original Patch->Question", BASE >> QUESTION),
    Flow("Image HD Patch Indice->Last", HD >> LAST),
    Flow("Image Central Object in HD Patch Indice->Question", OBJECT_HD >> QUESTION),
    Flow("Image HD Patch Without Central Object Indice->Last", REST_HD >> LAST),
    Flow("Instruction->Last", INSTRUCTIONS >> LAST),
    Flow("Role Words->Last", ROLES >> LAST),
    Flow("Template->Last", TEMPLATE >> LAST),
    Flow("Template->Question", TEMPLATE >> QUESTION),
    Flow("All->Last", ALL >> LAST),  # no key is left
    # every other group as queries
    Flow("Template->Image", TEMPLATE >> IMAGE),
    Flow("Image Without Central Object->Image Central Object", REST >> OBJECT),
    Flow("Image Central Object->Image Without Central Object", OBJECT >> REST),
    Flow("Image->True Option", IMAGE >> TRUE),
    Flow("Image->False Option", IMAGE >> FALSE),
    Flow("Image->Central Object", IMAGE >> NOUN),
    Flow("Image->Question without Options", IMAGE >> ONLY_QUESTION),
    Flow("Template->Image Without Central Object with pad", TEMPLATE >> REST_PAD),
    Flow("Template->Image Original Patch", TEMPLATE >> BASE),
    Flow("Question->Instruction", QUESTION >> INSTRUCTIONS),
    Flow("Image->Role Words", IMAGE >> ROLES),
    Flow("Image->Template", IMAGE >> TEMPLATE),
    Flow("Image->All", IMAGE >> ALL),
    Flow("Question->Image", QUESTION >> IMAGE),  # nothing that causality shows
    # Last as keys stays one position; as queries only by name it has the positions after the prompt
    Flow("Last->All", LAST >> ALL),
    Flow("[-1]->[-1]", cells(-1, None) >> cells(-1, None)),
    Flow("Image->Question + Last", IMAGE >> QUESTION + LAST),
    Flow("Question->All - Last", QUESTION >> ALL - LAST),
    # expressions
    Flow("Question - True Option - False Option->Last", QUESTION - TRUE - FALSE >> LAST),
    Flow("[4:9] + [-3]->Question", cells(4, 9) + cells(-3, -2) >> QUESTION),
    Flow("Question->[-3:]", QUESTION >> cells(-3, None)),
    Flow("[500:600]->Last", cells(500, 600) >> LAST),
    Flow('"the"->Last', text("the") >> LAST),
    Flow('"to the left"->Last', text("to the left") >> LAST),
    Flow('Image->"the" + Last', IMAGE >> text("the") + LAST),
    Flow("Image - box(100,100,80,60)->Last", IMAGE - box(100, 100, 80, 60) >> LAST),
    Flow("box(100,100,80,60)->Question", box(100, 100, 80, 60) >> QUESTION),
    Flow("All - Last->Last", ALL - LAST >> LAST),
    # several edges, layers and heads of their own
    Flow("Image->Question & Image->Last", IMAGE >> QUESTION, IMAGE >> LAST),
    Flow("Image->Question@0:2 & Question->Last", (IMAGE >> QUESTION).at(0, 2), QUESTION >> LAST),
    Flow("Image->Question@0:2 & Question->Last@2:5", (IMAGE >> QUESTION).at(0, 2), (QUESTION >> LAST).at(2, 5)),
    Flow("Question->Last & Image->Question@2:4", QUESTION >> LAST, (IMAGE >> QUESTION).at(2, 4)),
    Flow("[1]->Image & Image->Last", cells(1, 2) >> IMAGE, IMAGE >> LAST),
    Flow("Image->Question#0+2", (IMAGE >> QUESTION).only_heads(0, 2)),
    Flow("Image->Question#1:3", (IMAGE >> QUESTION).only_heads(1, 2)),
    Flow("Image->Last#0 & Question->Last#1:3", (IMAGE >> LAST).only_heads(0), (QUESTION >> LAST).only_heads(1, 2)),
    Flow("Image->Question#0 & Question->Last@2:4#1:3", (IMAGE >> QUESTION).only_heads(0),
         (QUESTION >> LAST).at(2, 4).only_heads(1, 2)),
    Flow("All->Last#0", (ALL >> LAST).only_heads(0)),  # no key is left in one head
    Flow("Image + Question->Last & Template->Last", IMAGE + QUESTION >> LAST, TEMPLATE >> LAST),  # nor here, for the two together
    Flow("Image + Question->Last@0:2 & Template->Last@2:4", (IMAGE + QUESTION >> LAST).at(0, 2), (TEMPLATE >> LAST).at(2, 4)),
    # the other modes
    Flow("keep: Image->Question & Question->Last", IMAGE >> QUESTION, QUESTION >> LAST, mode="keep"),
    Flow("keep: Image->Last", IMAGE >> LAST, mode="keep"),
    Flow("keep(Image Central Object, Image Without Central Object, Question, Last): Image Central Object->Question",
         OBJECT >> QUESTION, mode="keep", partition=(OBJECT, REST, QUESTION, LAST)),
    Flow("random: Image Central Object->Question", OBJECT >> QUESTION, mode="random"),
    Flow("random: Question->Last", QUESTION >> LAST, mode="random"),
    Flow("random: Image Central Object->Last & Question->Last", OBJECT >> LAST, QUESTION >> LAST, mode="random"),
    Flow("random: Image Central Object->Last#0 & Question->Last#1:3", (OBJECT >> LAST).only_heads(0),
         (QUESTION >> LAST).only_heads(1, 2), mode="random"),
    Flow("random: Image->Question", IMAGE >> QUESTION, mode="random"),  # too few keys to draw from
    zero("zero attention: Question", "zero attention", QUESTION),
    zero("zero mlp: Question", "zero mlp", QUESTION),
    zero("zero attention: Last", "zero attention", LAST),
    zero("zero mlp: Last", "zero mlp", LAST),
    zero("zero mlp: Image + Last", "zero mlp", IMAGE + LAST),
    Flow("zero attention: Question@1:3", Edge(None, QUESTION, range(1, 3)), mode="zero attention"),
]
BY_TEXT = {f.text: f for f in FLOWS}
K = 3
OTHER_WINDOWS = [("centre", 1), ("centre", 9), ("below", 0), ("above", 0), ("outside", 1), ("outside", 3)]
IN_OTHER_WINDOWS = ["Question->Last", "Image->Question", "zero mlp: Question", "keep: Image->Question & Question->Last"]
GENERATED_UNDER = ["Question->Last", "Last->Last", "Image->Question", "zero mlp: Last"]
LENS_UNDER = ["Image->Question", "Question->Last"]


def window_layers(style, centre, k, n_layers):
    if style == "fixed":
        return set()
    if style == "below":
        return set(range(centre + 1))
    if style == "above":
        return set(range(centre, n_layers))
    inside = set(window(centre, k, n_layers))
    return inside if style == "centre" else set(range(n_layers)) - inside


# ---- the random control ----

WORD = (1 << 64) - 1
GAMMA = 0x9e3779b97f4a7c15


def splitmix_output(z):
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9 & WORD
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb & WORD
    return z ^ (z >> 31)


def mix(x):
    return splitmix_output((x + GAMMA) & WORD)


def draw(keys, n, row, repeat, query):
    """The first n of a Fisher-Yates shuffle of the keys."""
    keys = sorted(keys)
    state = mix(mix(mix(mix(SEED) ^ row) ^ repeat) ^ query)
    for i in range(n):
        state = (state + GAMMA) & WORD
        j = i + splitmix_output(state) % (len(keys) - i)
        keys[i], keys[j] = keys[j], keys[i]
    return keys[:n]


# ---- what a flow does to a sample ----

class TooFewKeys(Exception):
    pass


class FullyCut(Exception):
    """A query has no key left: under transformers' additive mask it would attend evenly."""


class Effect:
    """What one flow does to a sequence of n positions, the last n_after of them after the prompt."""

    def __init__(self, flow, sample, n_after, repeat=0):
        self.n, self.flow, self.sample, self.n_after = sample.length + n_after, flow, sample, n_after
        self.cuts = []  # (layers, heads, hidden pairs [n, n]); None: the window's layers, every head
        self.zeros = []  # (layers, places [n])
        self.empty = False
        if flow.mode == "cut":
            for e in flow.edges:
                self.cut(e.layers, e.heads, {q: self.source(e) for q in self.target(e)})
        elif flow.mode == "keep":
            kept = [(e.source, e.target) for e in flow.edges]
            for a in flow.partition:
                for b in flow.partition:
                    if a is not b and (a, b) not in kept:
                        self.cut(None, None, {q: self.source(a >> b) for q in self.target(a >> b)})
        elif flow.mode == "random":
            for layers, heads in dict.fromkeys((e.layers, e.heads) for e in flow.edges):
                self.cut_at_random([e for e in flow.edges if (e.layers, e.heads) == (layers, heads)], layers, heads, repeat)
        else:
            places = torch.zeros(self.n, dtype=torch.bool)
            places[sorted(self.target(flow.edges[0]))] = True
            self.zeros.append((flow.edges[0].layers, places))

    def source(self, edge):
        keys = edge.source.keys(self.sample)
        self.empty |= not keys
        return keys

    def target(self, edge):
        queries = edge.target.queries(self.sample, self.n_after)
        self.empty |= not queries
        if edge.source:
            self.source(edge)
        return queries

    def cut(self, layers, heads, keys_of):
        hidden = torch.zeros(self.n, self.n, dtype=torch.bool)
        for q, keys in keys_of.items():
            hidden[q, sorted(keys)] = True
        self.cuts.append((layers, heads, hidden))

    def cut_at_random(self, edges, layers, heads, repeat):
        lost = {}  # query -> what it would lose to the edges that reach it
        for e in edges:
            for q in self.target(e):
                lost.setdefault(q, set()).update(self.source(e))
        keys_of = {}
        for q, keys in lost.items():
            visible = set(range(q + 1))
            n, others = len(visible & keys), visible - keys
            if n > len(others):
                raise TooFewKeys
            keys_of[q] = draw(others, n, self.sample.n_row, repeat, q)
        self.cut(layers, heads, keys_of)

    def install(self, windows):
        """Sets every layer's masks and zeroed places: one entry of the batch for each window."""
        ref = self.sample.ref
        future = torch.ones(self.n, self.n, dtype=torch.bool).triu(1)
        n_heads = ref.n_heads if any(heads for _, heads, _ in self.cuts) else 1
        for layer in range(ref.n_layers):
            hidden = future.repeat(len(windows), n_heads, 1, 1)
            zeroed = torch.zeros(len(windows), self.n, dtype=torch.bool)
            for b, inside in enumerate(windows):
                for layers, heads, pairs in self.cuts:
                    if layer in (inside if layers is None else layers):
                        hidden[b, list(heads) if heads else slice(None)] |= pairs
                for layers, places in self.zeros:
                    if layer in (inside if layers is None else layers):
                        zeroed[b] |= places
            if hidden.all(-1).any():
                raise FullyCut
            ref.masks[layer] = torch.where(hidden, CUT, 0.)
            if self.zeros:
                (ref.zero_attention if self.flow.mode == "zero attention" else ref.zero_mlp)[layer] = zeroed


# ---- samples ----

class Sample(golden_reference.Sample):
    """One question, its groups and its runs."""

    def __init__(self, ref, task, n_row, row, forced):
        self.task, self.n_row = task, n_row
        super().__init__(ref, f"{task}.{n_row}", row)
        self.groups = {name: sorted(p) for name, p in self.named_groups().items()}
        self.generated, lead = self.generate()
        assert lead > CLEAR, f"{self.key}: two tokens are within {lead} of each other"
        self.answer_ids = self.generated[:3] if forced is None else [self.first, *forced]
        assert len(self.answer_ids) == 3
        self.answer = ref.tokenizer.decode(self.generated, skip_special_tokens=True).strip()
        self.true_token, self.true_option, self.false_option = map(self.word_token, [
            row["answer"], row.get("true option"), row.get("false option")])
        self.unclear = 0

    def find(self, words):
        """Positions of the first occurrence after the picture; none where there is none."""
        behind = self.image_at + self.ref.n_patches
        try:
            begin, end = span(self.ref.tokenizer, self.text_ids[self.image_at + 1:], words)
        except ValueError:
            return range(0)
        return range(behind + begin, behind + end)

    def role_words(self):
        """Every occurrence in the prompt but those in the question."""
        ref, found = self.ref, set()
        ids = self.ids[0].tolist()
        tokens = ["" if i == ref.image_id else t.replace("\u2581", " ") for i, t in zip(ids, ref.tokenizer.convert_ids_to_tokens(ids))]
        joined, ends = "".join(tokens), [sum(map(len, tokens[:i + 1])) for i in range(len(tokens))]
        for word in ROLE_WORDS:
            at = joined.find(word)
            while at >= 0:
                found |= {i for i, e in enumerate(ends) if e > at and e - len(tokens[i]) < at + len(word) and tokens[i]}
                at = joined.find(word, at + 1)
        return found - set(range(*self.question))

    def named_groups(self):
        image = set(range(self.image_at, self.image_at + self.ref.n_patches))
        central = {self.image_at + p for p in self.object}
        question = set(range(*self.question))
        everything = set(range(self.length))
        words = {name: set(self.find(self.row[column])) if self.row.get(column, "-") != "-" else set() for name, column in [
            ("True Option", "true option"), ("False Option", "false option"), ("Central Object", "central object name")]}
        if "object1 name" in self.row:
            words["Central Object"] = set(self.find(self.row["object1 name"]))
        after_question = self.length - self.question[1]
        begin, end = span(self.ref.tokenizer, self.text_ids[-after_question:], INSTRUCTION)
        instruction = set(range(self.question[1] + begin, self.question[1] + end))
        rest = image - central if self.boxes else set()
        return {  # one tile, no newlines: pad and high-resolution groups are empty
            "Image": image, "Question": question, "Last": {self.length - 1}, "Image Central Object": central,
            "Image Without Central Object": rest, **words,
            "Question without Options": question - words["True Option"] - words["False Option"], "Image Pad": set(),
            "Image Without Central Object with pad": rest, "Image Original Patch": image, "Image HD Patch Indice": set(),
            "Image Central Object in HD Patch Indice": set(), "Image HD Patch Without Central Object Indice": set(),
            "Instruction": instruction, "Role Words": self.role_words(), "Template": everything - image - question,
            "All": everything}

    def word_token(self, word):
        if word is None:
            return None
        if self.answer[:1].isupper():
            word = word[:1].upper() + word[1:].lower()
        return self.ref.tokenizer(word, add_special_tokens=False)["input_ids"][0]

    # ---- passes ----

    def forward(self, effect, windows, after, hidden=False):
        """The decoder over prompt and following ids [B or 1, n_after], one entry of the batch for each window."""
        ref = self.ref
        following = ref.decoder.get_input_embeddings()(torch.tensor(after, dtype=torch.long).reshape(len(after), -1))
        embeds = torch.cat([self.embeds.expand(len(windows), -1, -1), following.expand(len(windows), -1, -1)], 1)
        assert embeds.shape[1] == effect.n
        try:
            effect.install(windows)
            return ref.decoder(inputs_embeds=embeds, use_cache=False, output_hidden_states=hidden)
        finally:
            for installed in (ref.masks, ref.zero_attention, ref.zero_mlp):
                installed.clear()

    def scores(self, logits):
        """Of the logits [answer_ids, V] from the last prompt position on."""
        p = logits.double().softmax(-1)
        joint = 1.
        for row, token in zip(p, self.answer_ids):
            joint *= row[token].item()
        at = logits[0].double()
        gaps = (at - at[self.first]).abs()
        gaps[self.first] = CUT
        gaps = gaps[gaps >= 0]
        top = at.topk(2)
        rank = 1 + (at > at[self.first]).sum().item() if gaps.min() > CLEAR else None
        best = top.indices[0].item() if top.values[0] - top.values[1] > CLEAR else None
        self.unclear += (rank is None) + (best is None)
        return dict(probability=digits(p[0, self.first]), true=digits(p[0, self.true_token]), whole=digits(joint),
                    difference=digits(at[self.true_option] - at[self.false_option]) if self.true_option else None,
                    rank=rank, top=best)

    def baseline(self):
        nothing = Effect(Flow("", mode="cut"), self, 2)
        out = self.forward(nothing, [set()], [self.answer_ids[:2]])
        logits = self.ref.head(out.last_hidden_state[0, self.length - 1:])
        assert (logits[0] - self.logits).abs().max() < 1e-4 * self.logits.abs().max()
        scores = self.scores(logits)
        assert scores["rank"] == 1 and scores["top"] == self.first
        return scores

    def run(self, flow, style, k, repeat, centres):
        head = dict(flow=flow.text, style=style, k=k, repeat=repeat, seed=SEED, centres=centres)
        try:
            effect = Effect(flow, self, 2, repeat)
        except TooFewKeys:
            return head | dict(too_few_keys=True)
        if effect.empty:
            head["empty_group"] = True
        windows = [window_layers(style, c, k, self.ref.n_layers) for c in centres]
        try:
            out = self.forward(effect, windows, [self.answer_ids[:2]])
        except FullyCut:
            return head | dict(fully_cut=True)
        logits = self.ref.head(out.last_hidden_state[:, self.length - 1:])
        scores = [self.scores(one) for one in logits]
        values = {name: [s[name] for s in scores] for name in scores[0]}
        if self.true_option is None:
            values["difference"] = None
        return head | values

    def runs(self, other_centres):
        every = list(range(self.ref.n_layers))
        for flow in FLOWS:
            for repeat in range(flow.repeats):
                yield self.run(flow, "fixed", 0, repeat, [0]) if flow.fixed else self.run(flow, "centre", K, repeat, every)
        for name in IN_OTHER_WINDOWS:
            for style, k in OTHER_WINDOWS:
                yield self.run(BY_TEXT[name], style, k, 0, other_centres)

    def greedy(self, flow, windows):
        """For each window the greedy ids up to and with the end token, and the smallest lead of a chosen one."""
        end = self.ref.model.generation_config.eos_token_id
        ids, leads = [[] for _ in windows], [[] for _ in windows]
        for step in range(NEW_TOKENS):
            out = self.forward(Effect(flow, self, step), windows, ids)
            top = self.ref.head(out.last_hidden_state[:, -1]).topk(2)
            for b in range(len(windows)):
                ids[b].append(top.indices[b, 0].item())
                leads[b].append((top.values[b, 0] - top.values[b, 1]).item())
        used = [i.index(end) + 1 if end in i else NEW_TOKENS for i in ids]
        return [(i[:n], min(lead[:n])) for i, n, lead in zip(ids, used, leads)]

    def generations(self):
        """Two centres of each flow: the lowest and the highest where the ids are not the baseline's, as far as there are any."""
        plain = self.greedy(Flow("", mode="cut"), [set()])[0][0]
        assert plain == self.generated[:NEW_TOKENS]
        for name in GENERATED_UNDER:
            windows = [window_layers("centre", c, K, self.ref.n_layers) for c in range(self.ref.n_layers)]
            clear = [(c, ids) for c, (ids, lead) in enumerate(self.greedy(BY_TEXT[name], windows)) if lead > CLEAR]
            found = [run for run in clear if run[1] != plain] + [run for run in clear if run[1] == plain]
            n_other = sum(ids != plain for _, ids in clear)
            assert len(found) >= 2, (self.key, name)
            chosen = sorted([found[0], found[max(1, n_other - 1)]])
            yield dict(flow=name, style="centre", k=K, centres=[c for c, _ in chosen], ids=[ids for _, ids in chosen])

    # ---- lens ----

    def lens_logits(self, states, normed=False):
        """Of hidden states [L+1, D]; the last has been through the final norm already."""
        if normed:
            states = torch.cat([self.ref.decoder.norm(states[:-1]), states[-1:]])
        return self.ref.head(states)

    def lens_values(self, states, normed=False):
        return digits(self.lens_logits(states, normed).double().softmax(-1)[:, self.first])

    def lens_top(self, states, normed):
        logits = self.lens_logits(states, normed).double()
        best, values = logits.topk(6), logits.softmax(-1).topk(5).values
        gaps = best.values[:, :-1] - best.values[:, 1:]
        clear = gaps > LENS_CLEAR * logits.abs().amax(-1, keepdim=True)
        clear[:, 1:] &= clear[:, :-1].clone()
        ids = [[i if c else None for i, c in zip(*row)] for row in zip(best.indices[:, :5].tolist(), clear.tolist())]
        return ids, digits(values)

    def lens(self):
        ref, at, last = self.ref, self.image_at, self.hidden[:, -1]
        record = dict(raw=self.lens_values(last), normed=self.lens_values(last, normed=True))
        for name, normed in (("raw", False), ("normed", True)):
            record[f"{name}_top5_ids"], record[f"{name}_top5"] = self.lens_top(last, normed)
        record["cut"] = []
        for name in LENS_UNDER:
            windows = [window_layers("centre", c, K, ref.n_layers) for c in range(ref.n_layers)]
            out = self.forward(Effect(BY_TEXT[name], self, 0), windows, [[]], hidden=True)
            states = torch.stack(out.hidden_states, 1)[:, :, -1]
            record["cut"].append(dict(flow=name, style="centre", k=K, centres=list(range(ref.n_layers)),
                                      raw=[self.lens_values(s) for s in states]))
        record["image_positions"] = [at, at + ref.n_patches // 3, at + 2 * ref.n_patches // 3, at + ref.n_patches - 1]
        record["image_raw"] = [self.lens_values(self.hidden[:, p]) for p in record["image_positions"]]
        return record

    def record(self, other_centres):
        return dict(
            key=self.key, task=self.task, row=self.n_row, question_id=self.row["question_id"], image=self.row["img_id"],
            question=self.row["question"], answer=self.row["answer"], text_ids=self.text_ids, image_at=self.image_at,
            length=self.length, groups=self.groups, first_token=self.first, generated_ids=self.generated, generated=self.answer,
            answer_ids=self.answer_ids, true_token=self.true_token, true_option_token=self.true_option,
            false_option_token=self.false_option, baseline=self.baseline(), runs=list(self.runs(other_centres)),
            generate=list(self.generations()), lens=self.lens())


def digits(values):
    """Nine of them."""
    if isinstance(values, torch.Tensor):
        values = values.tolist()
    return [digits(v) for v in values] if isinstance(values, list) else float(f"{values:.9g}")


# ---- the two checkpoints ----

ROWS = {
    "demo": [("ChooseAttr", 0), ("ChooseAttr", 7), ("ChooseCat", 2), ("ChooseCat", 30), ("ChooseRel", 5), ("ChooseRel", 11),
             ("CompareAttr", 7), ("LogicalObj", 0), ("LogicalObj", 5), ("QueryAttr", 5)],
    "bites": [("ChooseAttr", 0), ("ChooseAttr", 7), ("ChooseCat", 2), ("ChooseCat", 30), ("ChooseRel", 5), ("ChooseRel", 11),
              ("CompareAttr", 7), ("LogicalObj", 0), ("LogicalObj", 5), ("QueryAttr", 5)],
}
DEMO_FORCED = [2, 541]  # after the first token: the end token and "Left", whose joint probability is neither 1 nor tiny


def make(what):
    ref = Reference("demo/model" if what == "demo" else BITES)
    other_centres = list(range(1, ref.n_layers, 3)) if what == "demo" else list(range(ref.n_layers))
    rows, records = dict(read_rows()), []
    for task, n in ROWS[what]:
        sample = Sample(ref, task, n, rows[task][n], DEMO_FORCED if what == "demo" else None)
        records.append(sample.record(other_centres))
        print(sample.key, sample.answer, records[-1]["baseline"], "unclear:", sample.unclear, flush=True)
    write_json(f"{ENGINE_GOLDEN}/flows_{what}.json", records, made=golden_reference.provenance("tools/make_flow_golden.py"),
               flows=[f.text for f in FLOWS], clear=CLEAR, lens_clear=LENS_CLEAR)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", choices=["demo", "bites"])
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    with torch.no_grad():
        make(arguments.parse_args().what)


if __name__ == "__main__":
    main()
