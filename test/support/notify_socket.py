"""Listens where NOTIFY_SOCKET points, as systemd does, and prints each message on a line, with tabs between its assignments."""
import array
import os
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print("listening", flush=True)
while True:
    data, ancillary, _, _ = listener.recvmsg(65536, socket.CMSG_SPACE(256))
    print("said\t" + data.decode().rstrip("\n").replace("\n", "\t"), flush=True)
    for _, _, files in ancillary:
        # BARRIER=1 comes with a file, whose end says that what came before it was taken.
        for file in array.array("i", files[: len(files) - len(files) % 4]):
            os.close(file)
