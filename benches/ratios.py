"""Prints the figures of the last `cargo bench -p stored-ami-core --bench checksum` as ratios, which compare across
machines with the same vector units: to a copy in memory, and to MD5 of one stream by the crate `md-5`.

usage: ratios.py [FOLDER]     (target/criterion by default)
"""

import json
import sys
from pathlib import Path


def speeds(folder):
    """Bytes per second by name, from the medians."""
    for estimates in sorted(folder.rglob("new/estimates.json")):
        about = json.loads((estimates.parent / "benchmark.json").read_text())
        size = (about.get("throughput") or {}).get("Bytes")
        if size:
            yield about["full_id"], size / json.loads(estimates.read_text())["median"]["point_estimate"] * 1e9


found = dict(speeds(Path(sys.argv[1] if len(sys.argv) > 1 else "target/criterion")))
missing = [name for name in ("reference/memcpy", "digest/md5/262144") if name not in found]
if missing:
    sys.exit(f"not measured yet: {', '.join(missing)}; first run cargo bench -p stored-ami-core --bench checksum")
copy, md5 = found["reference/memcpy"], found["digest/md5/262144"]
print(f"{'':44} {'GB/s':>8} {'of a copy':>10} {'of MD5':>8}")
for name, speed in found.items():
    print(f"{name:44} {speed / 1e9:8.2f} {speed / copy:10.3f} {speed / md5:8.1f}")
