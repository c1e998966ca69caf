"""compare.py RANDOM_VERDICTS WORLDS PACKETS: what kin says of packets in random clusters, and what
the oracle says. Prints the first clusters in which they differ, with as few policies as show it."""

import json
import subprocess
import sys

from oracle import Packet, judge


def differs(world, one, policies):
    packet = Packet(one["source"], one["destination"], one["protocol"], one["port"])
    return judge(world["cluster"], policies, packet).allowed != one["allowed"]


def report(number, world, one):
    # A policy without which the oracle says the same is not what they differ about.
    policies = list(world["policies"])
    for policy in list(policies):
        fewer = [other for other in policies if other is not policy]
        if differs(world, one, fewer):
            policies = fewer
    packet = Packet(one["source"], one["destination"], one["protocol"], one["port"])
    print(f"world {number}: {packet}")
    print(f'  kin:    {"allowed" if one["allowed"] else "denied"}: {one["why"]}')
    print(f'  oracle: {judge(world["cluster"], policies, packet)}')
    print(f'  {json.dumps({**world["cluster"], "policies": policies})}')


def main(program, worlds, packets):
    asked = wrong = allowed = 0
    lines = subprocess.Popen([program, worlds, packets], stdout=subprocess.PIPE, text=True)
    for number, line in enumerate(lines.stdout):
        world = json.loads(line)
        for one in world["packets"]:
            asked += 1
            allowed += one["allowed"]
            if differs(world, one, world["policies"]):
                wrong += 1
                if wrong <= 5:
                    report(number, world, one)
    print(f"{wrong} mismatches of {asked} packets in {worlds} random clusters ({allowed} allowed)")
    failed = lines.wait() != 0 or asked != int(worlds) * int(packets)
    return 1 if wrong or failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
