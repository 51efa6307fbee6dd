"""Groups English words by what they mean, for the local model.

The words are those of a sentence encoder's vocabulary, of the templates, and of
the labelled rows, if they occur in at least 5 of them. Each is encoded by itself
(all-MiniLM-L6-v2), and the vectors are brought into 1,500 groups (spherical
k-means). The result is text: a group a line.

Usage: clusters.py MODEL_DIRECTORY TEMPLATES LABELLED_ROWS >clusters.txt
"""
import collections
import glob
import json
import re
import sys

import torch
from sentence_transformers import SentenceTransformer

GROUPS = 1500
ROUNDS = 30
WORD = re.compile(r"[a-z][a-z']*[a-z0-9]")


def words(model, templates, rows):
    found = set()
    with open(model + "/vocab.txt", encoding="utf-8") as lines:
        found.update(w for w in map(str.strip, lines) if re.fullmatch(r"[a-z]{2,}", w))
    for name in sorted(glob.glob(templates + "/en/*.txt")):
        with open(name, encoding="utf-8") as lines:
            for line in lines:
                if not line.startswith(("==", "#")):
                    found.update(WORD.findall(line.lower()))
    counts = collections.Counter()
    for name in sorted(glob.glob(rows + "/*.jsonl")):
        with open(name, encoding="utf-8") as lines:
            for line in lines:
                counts.update(set(WORD.findall(json.loads(line)["text"].lower())))
    found.update(w for w, n in counts.items() if n >= 5)
    return sorted(w for w in found if 2 <= len(w) < 24)


def group(vectors):
    normalise = torch.nn.functional.normalize
    vectors = normalise(vectors - vectors.mean(0), dim=1)
    chance = torch.Generator().manual_seed(7)

    def some(n):
        return vectors[torch.randperm(len(vectors), generator=chance)[:n]]

    centres = some(GROUPS).clone()
    for _ in range(ROUNDS):
        nearest = (vectors @ centres.T).argmax(1)
        centres = torch.zeros_like(centres).index_add_(0, nearest, vectors)
        empty = centres.norm(dim=1) < 1e-6
        centres[empty] = some(int(empty.sum()))
        centres = normalise(centres, dim=1)
    return nearest.tolist()


def main():
    model, templates, rows = sys.argv[1:]
    vocabulary = words(model, templates, rows)
    encoder = SentenceTransformer(model, device="cpu")
    vectors = torch.from_numpy(encoder.encode(vocabulary, batch_size=256, normalize_embeddings=True))
    members = [[] for _ in range(GROUPS)]
    for word, n in zip(vocabulary, group(vectors)):
        members[n].append(word)
    for line in sorted(" ".join(m) for m in members if len(m) > 1):
        print(line)


main()
