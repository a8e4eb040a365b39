"""Data sets in the files that their authors publish, and a server that has them."""

import hashlib
import http.server
import pickle
import struct
import threading

import numpy as np

from samples import some


def idx(array):
    """An array of bytes in the IDX format: two zeros, type 8, the number of axes, their lengths, the bytes."""
    return struct.pack(f">4B{array.ndim}i", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def idx_files(count=20):
    images, labels = some(count, 28, 28).numpy(), (np.arange(count) % 10).astype(np.uint8)
    files = {"train-images-idx3-ubyte": idx(images), "train-labels-idx1-ubyte": idx(labels)}
    files |= {"t10k-images-idx3-ubyte": idx(images[:2]), "t10k-labels-idx1-ubyte": idx(labels[:2])}
    return images, labels, files


def write_files(folder, files):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


class Served:
    """Files served from the loopback interface, and what was asked for."""

    def __init__(self, files):
        self.asked = asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                content = files[self.path.lstrip("/")]
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def md5(content):
    return hashlib.md5(content).hexdigest()


def cifar_files():
    """CIFAR-10's own layout, four images in each file: rows of 1024 red, 1024 green and 1024 blue bytes."""
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    files, rows = {}, {name: some(4, 3072, seed=name).numpy() for name in names}
    for i, name in enumerate(names):
        files[name] = pickle.dumps({"data": rows[name], "labels": [i, i, 9, 9]})
    files["batches.meta"] = pickle.dumps({"label_names": [f"kind {i}" for i in range(10)]})
    return rows, files
