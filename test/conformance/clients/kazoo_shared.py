"""kazoo's side of what it shares with the client of the test. Arguments: host:port, and how often it counts."""
import sys
import time

from kazoo.client import KazooClient

client = KazooClient(hosts=sys.argv[1], timeout=30)
client.start(timeout=120)
counter = client.Counter("/shared/digits")
for _ in range(int(sys.argv[2])):
    counter += 1
print("counted", flush=True)
party = client.Party("/shared/party", "kazoo")
party.join()
while len(party) < 2:
    time.sleep(0.005)
print("party", sorted(party), flush=True)
sys.stdin.readline()
client.stop()
