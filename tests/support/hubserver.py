# ruff: noqa
"""A small Hugging Face Hub for tests: the genuine client talks to it over HTTP on loopback. Standard library only.

    server = serve(root); server.url; server.faults.append({...}); server.log; server.shutdown()

Tokens are in TOKENS; any other one is answered with 401. Faults are dicts, and the first that matches is used, `times`
times: {"match": regex on the path, "method": "GET", "kind": K, "times": n, ...} where K is "status" (code=500,
headers={}, body={}), "drop" (after=N bytes, orderly close), "reset" (after=N, TCP RST), "corrupt" (at=N, flips one byte), "slow"
(delay=s before the headers), "trickle" (chunk=N, delay=s between chunks), "noheader" (name), "header" (name, value),
"coded" (coding, data: another body), or "endless" (without a length, until the client goes away).
"""

import base64, hashlib, json, os, re, shutil, socket, ssl, struct, threading, time
from datetime import datetime, timezone
from itertools import takewhile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit

TOKENS = {
    "hf_owner_write": ("owner", "write"),
    "hf_owner_read": ("owner", "read"),
    "hf_other_write": ("other", "write"),
}
ORGS = {"ganzoo-org": ["owner"]}
LFS_EXT = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".npz", ".onnx", ".pkl", ".zip", ".h5", ".tar", ".gz")
LFS_SIZE = 10 * 1024 * 1024
DATA_SETS = ["ylecun/mnist", "zalando-datasets/fashion_mnist", "uoft-cs/cifar10"]
DATA_SET = '"datasets[%s]" with value "%s" is not valid. If possible, use a dataset id from https://hf.co/datasets.'


class Err(Exception):
    def __init__(self, status, message, code=None, body=None, **headers):
        self.status, self.message, self.code, self.body, self.headers = status, message, code, body or {}, headers


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def git_blob(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def lfs_pointer(oid, size):
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n".encode()


class Store:
    """repos/<ns>/<name>/meta.json (refs, commits with whole trees) + objects/<sha256 or git-sha1>."""

    def __init__(self, root):
        self.root, self.lock = root, threading.RLock()
        os.makedirs(os.path.join(root, "objects"), exist_ok=True)

    def obj(self, oid):
        return os.path.join(self.root, "objects", oid)

    def put(self, oid, data):
        tmp = self.obj(oid) + f".{threading.get_ident()}.tmp"
        with open(tmp, "wb") as f:
            f.write(data)
        os.replace(tmp, self.obj(oid))

    def path(self, rid):
        return os.path.join(self.root, "repos", *rid.split("/"), "meta.json")

    def load(self, rid):
        try:
            with open(self.path(rid)) as f:
                return json.load(f)
        except OSError:
            return None

    def save(self, rid, meta):
        os.makedirs(os.path.dirname(self.path(rid)), exist_ok=True)
        with open(self.path(rid) + ".tmp", "w") as f:
            json.dump(meta, f)
        os.replace(self.path(rid) + ".tmp", self.path(rid))

    def commit(self, rid, meta, branch, tree, title, body, author):
        parent = meta["branches"].get(branch)
        c = {
            "parent": parent,
            "tree": tree,
            "title": title,
            "body": body,
            "author": author,
            "date": now(),
            "n": len(meta["commits"]),
        }
        sha = hashlib.sha1(json.dumps([rid, c], sort_keys=True).encode()).hexdigest()
        meta["commits"][sha] = c
        meta["branches"][branch] = sha
        self.save(rid, meta)
        return sha


def resolve(meta, rev):
    sha = meta["branches"].get(rev) or meta["tags"].get(rev) or (rev if rev in meta["commits"] else None)
    if sha is None:
        raise Err(404, f"Invalid rev id: {rev}", "RevisionNotFound")
    return sha


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "hubserver"
    disable_nagle_algorithm = True

    def log_message(self, *a):
        pass

    # ---- plumbing
    def handle_one(self):
        u = urlsplit(self.path)
        self.q, path, body = parse_qs(u.query, keep_blank_values=True), u.path, b""
        if n := int(self.headers.get("Content-Length") or 0):
            body = self.rfile.read(n)
        elif "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.body, self.fault, self.base = body, None, f"{self.server.scheme}://{self.headers.get('Host')}"
        tok = (self.headers.get("Authorization") or "").removeprefix("Bearer ").strip()
        entry = {
            "method": self.command,
            "path": self.path,
            "auth": tok[:9],
            "range": self.headers.get("Range"),
            "ua": self.headers.get("User-Agent"),
            "status": None,
        }
        self.entry = entry
        self.server.log.append(entry)
        try:
            if path.startswith("/_"):
                return self.admin(path)
            with self.server.store.lock:
                for f in self.server.faults:
                    if (
                        f.get("times", 1) > 0
                        and f.get("method", self.command) == self.command
                        and re.search(f.get("match", ""), path)
                    ):
                        f["times"] = f.get("times", 1) - 1
                        self.fault = f
                        entry["fault"] = f["kind"]
                        break
            if self.fault and self.fault["kind"] == "slow":
                time.sleep(self.fault["delay"])
            if self.fault and self.fault["kind"] == "status":
                raise Err(
                    self.fault.get("code", 500),
                    "injected fault",
                    body=self.fault.get("body"),
                    **self.fault.get("headers", {}),
                )
            self.user = self.role = None
            if tok and not path.startswith(("/cdn/", "/lfs/")):
                if tok not in TOKENS:
                    raise Err(401, "Invalid credentials in Authorization header")
                self.user, self.role = TOKENS[tok]
            self.route(path)
        except Err as e:
            h = dict(e.headers)
            h["X-Error-Message"] = e.message
            if e.code:
                h["X-Error-Code"] = e.code
            self.send(e.status, {"error": e.message, **e.body}, h)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_one

    def send(self, status, data=b"", headers=None):
        if not isinstance(data, bytes):
            data, headers = json.dumps(data).encode(), {"Content-Type": "application/json", **(headers or {})}
        headers = {"X-Request-Id": f"req-{len(self.server.log)}", **(headers or {})}
        headers.setdefault("Content-Length", str(len(data)))
        f = self.fault or {}
        if f.get("kind") == "noheader":
            headers = {k: v for k, v in headers.items() if k.lower() != f["name"].lower()}
        if f.get("kind") == "header":
            headers[f["name"]] = f["value"]
        if f.get("kind") == "coded":
            data = f["data"]
            headers |= {"Content-Encoding": f["coding"], "Content-Length": str(len(data))}
        if f.get("kind") == "endless":
            headers = {k: v for k, v in headers.items() if k != "Content-Length"} | {"Connection": "close"}
            self.close_connection = True
        if f.get("kind") == "corrupt" and len(data) > f.get("at", 0):
            data = bytearray(data)
            data[f.get("at", 0)] ^= 1
            data = bytes(data)
        self.entry["status"] = status
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.end_headers()
        if self.command == "HEAD":
            return
        while f.get("kind") == "endless":
            self.wfile.write(b" " * 65536)
            self.entry["sent"] = self.entry.get("sent", 0) + 65536
        if f.get("kind") in ("drop", "reset"):
            self.wfile.write(data[: f.get("after", 0)])
            self.wfile.flush()
            if f["kind"] == "reset":
                time.sleep(0.3)  # let the client read what was sent before the RST
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.entry["sent"] = f.get("after", 0)
            self.connection.shutdown(socket.SHUT_RDWR) if f["kind"] == "drop" else self.connection.close()
            return
        if f.get("kind") == "trickle":
            for i in range(0, len(data), f.get("chunk", 65536)):
                self.wfile.write(data[i : i + f.get("chunk", 65536)])
                self.wfile.flush()
                time.sleep(f["delay"])
            return
        self.wfile.write(data)
        self.entry["sent"] = len(data)

    def send_file(self, path, headers, head_only=False):
        size, rng, status = (
            os.path.getsize(path),
            re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""),
            200,
        )
        lo, hi = 0, size - 1
        if rng and self.command == "GET":
            lo, hi = int(rng[1]), min(int(rng[2] or size - 1), size - 1)
            if lo >= size:
                raise Err(416, "Range Not Satisfiable", **{"Content-Range": f"bytes */{size}"})
            status, headers = 206, {**headers, "Content-Range": f"bytes {lo}-{hi}/{size}"}
        with open(path, "rb") as f:
            f.seek(lo)
            data = b"" if self.command == "HEAD" else f.read(hi - lo + 1)
        self.send(
            status,
            data,
            {
                "Accept-Ranges": "bytes",
                "Content-Type": "application/octet-stream",
                **headers,
                "Content-Length": str(hi - lo + 1),
            },
        )

    def admin(self, path):
        if path == "/_log":
            return self.send(200, self.server.log)
        if path == "/_fault" and self.command == "POST":
            self.server.faults.append(json.loads(self.body))
        elif path == "/_fault":
            self.server.faults.clear()
        self.send(200, {"faults": self.server.faults})

    # ---- permissions
    def repo(self, rid, write=False):
        meta, owner = self.server.store.load(rid), rid.split("/")[0]
        mine = self.user is not None and (self.user == owner or self.user in ORGS.get(owner, []))
        if meta is None or (meta["private"] and not mine):
            if self.user is None:  # the real Hub: bare 401, no X-Error-Code (the client maps it for https:// URLs only)
                raise Err(401, "Invalid username or password.", None if self.server.plain_401 else "RepoNotFound")
            raise Err(404, "Repository not found", "RepoNotFound")
        if write and self.user is None:
            raise Err(401, "Invalid username or password.")
        if write and (not mine or self.role != "write"):
            raise Err(403, "Forbidden: this token does not have write access to this repository")
        return meta

    # ---- routes
    def route(self, path):
        path = re.sub("^(/api)?/datasets/", lambda found: "/api/models/" if found[1] else "/", path)
        rid = r"([\w.-]+/[\w.-]+)"
        for method, rx, fn in (
            ("GET", "/api/whoami-v2", self.whoami),
            ("POST", "/api/validate-yaml", self.validate_yaml),
            ("POST", "/api/repos/create", self.create_repo),
            ("DELETE", "/api/repos/delete", self.delete_repo),
            ("GET", f"/api/models/{rid}", self.info),
            ("GET", f"/api/models/{rid}/revision/([^/]+)", self.info),
            ("GET", f"/api/models/{rid}/tree/([^/]+)/?(.*)", self.tree),
            ("POST", f"/api/models/{rid}/paths-info/([^/]+)", self.paths_info),
            ("GET", f"/api/models/{rid}/refs", self.refs),
            ("GET", f"/api/models/{rid}/commits/([^/]+)", self.commits),
            ("POST", f"/api/models/{rid}/tag/([^/]+)", self.add_tag),
            ("DELETE", f"/api/models/{rid}/tag/([^/]+)", self.del_tag),
            ("POST", f"/api/models/{rid}/preupload/([^/]+)", self.preupload),
            ("POST", f"/api/models/{rid}/commit/([^/]+)", self.commit),
            ("POST", f"/{rid}\\.git/info/lfs/objects/batch", self.lfs_batch),
            ("PUT", "/lfs/([0-9a-f]{64})", self.lfs_put),
            ("POST", "/lfs/([0-9a-f]{64})/verify", self.lfs_verify),
            ("GET", "/cdn/([0-9a-f]{64})", self.cdn),
            ("GET", f"/{rid}/resolve/([^/]+)/(.+)", self.resolve_file),
        ):
            m = re.fullmatch(rx, path)
            if m and method == ("GET" if self.command == "HEAD" else self.command):
                return fn(*[unquote(g) for g in m.groups()])
        raise Err(404, "Sorry, we can't find the page you are looking for.")

    def whoami(self):
        if not self.user:
            raise Err(401, "Invalid username or password.")
        self.send(
            200,
            {
                "type": "user",
                "id": self.user,
                "name": self.user,
                "fullname": self.user,
                "orgs": [{"name": o, "type": "org"} for o, m in ORGS.items() if self.user in m],
                "auth": {"type": "access_token", "accessToken": {"displayName": "test", "role": self.role}},
            },
        )

    def validate_yaml(self):
        head = re.match(r"^---\s*\n(.*?)\n---", json.loads(self.body)["content"], re.S)
        lines = head[1].splitlines() if head else []
        bad = ["bad YAML" for l in lines if "\t" in l]
        start = lines.index("datasets:") + 1 if "datasets:" in lines else len(lines)
        named = [l[2:] for l in takewhile(lambda l: l.startswith("- "), lines[start:])]
        bad += [DATA_SET % (i, each) for i, each in enumerate(named) if each not in DATA_SETS]
        self.send(400 if bad else 200, {"errors": [{"message": each} for each in bad], "warnings": []})

    def create_repo(self):
        d, st = json.loads(self.body), self.server.store
        if not self.user:
            raise Err(401, "Invalid username or password.")
        owner = d.get("organization") or self.user
        rid = f"{owner}/{d['name']}"
        if self.role != "write" or not (owner == self.user or self.user in ORGS.get(owner, [])):
            raise Err(403, f'You don\'t have the rights to create a model under the namespace "{owner}"')
        with st.lock:
            if st.load(rid):
                raise Err(409, "You already created this model repo", body={"url": f"{self.base}/{rid}"})
            private = d.get("visibility") == "private" or bool(d.get("private"))
            ga = "".join(f"*{e} filter=lfs diff=lfs merge=lfs -text\n" for e in LFS_EXT).encode()
            st.put(git_blob(ga), ga)
            meta = {"private": private, "branches": {}, "tags": {}, "commits": {}, "created": now()}
            st.commit(
                rid,
                meta,
                "main",
                {".gitattributes": {"oid": git_blob(ga), "size": len(ga)}},
                "initial commit",
                "",
                self.user,
            )
        self.send(200, {"url": f"{self.base}/{rid}", "name": rid, "id": rid})

    def delete_repo(self):
        d = json.loads(self.body)
        rid = f"{d.get('organization') or self.user}/{d['name']}"
        self.repo(rid, write=True)
        shutil.rmtree(os.path.dirname(self.server.store.path(rid)))
        self.send(200, {})

    def entry_json(self, path, e):
        r = {"type": "file", "path": path, "size": e["size"], "oid": e["oid"]}
        if "lfs" in e:
            r["lfs"] = {"oid": e["lfs"], "size": e["size"], "pointerSize": len(lfs_pointer(e["lfs"], e["size"]))}
        return r

    def card(self, tree):
        if "README.md" not in tree:
            return {}
        with open(self.server.store.obj(tree["README.md"]["oid"]), encoding="utf-8") as f:
            m = re.match(r"^---\s*\n(.*?)\n---", f.read(), re.S)
        out, key = {}, None
        for line in m[1].splitlines() if m else []:  # flat YAML is enough here
            if k := re.match(r"^([\w-]+):\s*(.*)$", line):
                key = k[1]
                out[key] = k[2] or []
            elif (i := re.match(r"^\s*- (.*)$", line)) and isinstance(out.get(key), list):
                out[key].append(i[1])
        out.pop("model-index", None)  # nested YAML: not needed by the client
        return out

    def info(self, rid, rev="main"):
        meta = self.repo(rid)
        sha = resolve(meta, rev)
        c = meta["commits"][sha]
        tree = c["tree"]
        card = self.card(tree)
        sib = [
            {
                "rfilename": p,
                **(
                    {
                        "size": e["size"],
                        "blobId": e["oid"],
                        **({"lfs": {"sha256": e["lfs"], "size": e["size"], "pointerSize": 134}} if "lfs" in e else {}),
                    }
                    if "blobs" in self.q
                    else {}
                ),
            }
            for p, e in sorted(tree.items())
        ]
        tags = (
            list(card.get("tags") or [])
            + (["safetensors"] if any(p.endswith(".safetensors") for p in tree) else [])
            + ([f"license:{card['license']}"] if card.get("license") else [])
        )
        self.send(
            200,
            {
                "_id": git_blob(rid.encode())[:24],
                "id": rid,
                "modelId": rid,
                "author": rid.split("/")[0],
                "sha": sha,
                "private": meta["private"],
                "gated": False,
                "disabled": False,
                "lastModified": c["date"],
                "createdAt": meta["created"],
                "downloads": 0,
                "likes": 0,
                "tags": tags,
                "cardData": card,
                "siblings": sib,
                "spaces": [],
                **({"library_name": card["library_name"]} if card.get("library_name") else {}),
                **({"pipeline_tag": card["pipeline_tag"]} if card.get("pipeline_tag") else {}),
            },
        )

    def tree(self, rid, rev, sub=""):
        meta = self.repo(rid)
        tree = meta["commits"][resolve(meta, rev)]["tree"]
        pre = sub.strip("/") + "/" if sub.strip("/") else ""
        out, dirs = [], set()
        for p, e in sorted(tree.items()):
            if not p.startswith(pre):
                continue
            parts = p[len(pre) :].split("/")
            for i in range(1, len(parts)):
                d = pre + "/".join(parts[:i])
                if d not in dirs and (
                    i == 1 or self.q.get("recursive") == ["true"] or self.q.get("recursive") == ["True"]
                ):
                    dirs.add(d)
                    out.append({"type": "directory", "path": d, "size": 0, "oid": git_blob(d.encode())})
            if len(parts) == 1 or self.q.get("recursive", [""])[0].lower() in ("true", "1"):
                out.append(self.entry_json(p, e))
        if pre and not out:
            raise Err(404, f"{sub} does not exist on {rev!r}", "EntryNotFound")
        self.send(200, out)

    def paths_info(self, rid, rev):
        meta = self.repo(rid)
        tree = meta["commits"][resolve(meta, rev)]["tree"]
        form = (
            json.loads(self.body)["paths"]
            if "json" in self.headers.get("Content-Type", "")
            else parse_qs(self.body.decode()).get("paths", [])
        )
        self.send(200, [self.entry_json(p, tree[p]) for p in form if p in tree])

    def refs(self, rid):
        m = self.repo(rid)
        mk = lambda d, kind: [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": s} for n, s in d.items()]
        self.send(200, {"branches": mk(m["branches"], "heads"), "tags": mk(m["tags"], "tags"), "converts": []})

    def commits(self, rid, rev):
        meta = self.repo(rid)
        sha, out = resolve(meta, rev), []
        while sha:
            c = meta["commits"][sha]
            out.append(
                {
                    "id": sha,
                    "title": c["title"],
                    "message": c["body"],
                    "date": c["date"],
                    "authors": [{"user": c["author"]}],
                }
            )
            sha = c["parent"]
        self.send(200, out)

    def add_tag(self, rid, rev):
        with self.server.store.lock:
            meta = self.repo(rid, write=True)
            sha, tag = resolve(meta, rev), json.loads(self.body)["tag"]
            if tag in meta["tags"]:
                raise Err(409, f"Tag reference exists already: {tag}")
            meta["tags"][tag] = sha
            self.server.store.save(rid, meta)
        self.send(200, {})

    def del_tag(self, rid, tag):
        with self.server.store.lock:
            meta = self.repo(rid, write=True)
            if meta["tags"].pop(tag, None) is None:
                raise Err(404, f"Invalid rev id: {tag}", "RevisionNotFound")
            self.server.store.save(rid, meta)
        self.send(200, {})

    # ---- upload
    def preupload(self, rid, rev):
        meta = self.repo(rid, write=True)
        tree = meta["commits"][resolve(meta, rev)]["tree"]
        out = []
        for f in json.loads(self.body)["files"]:
            e = tree.get(f["path"], {})
            out.append(
                {
                    "path": f["path"],
                    "uploadMode": "lfs" if f["path"].endswith(LFS_EXT) or f["size"] >= LFS_SIZE else "regular",
                    "shouldIgnore": False,
                    "oid": e.get("lfs") or e.get("oid"),
                }
            )
        self.send(200, {"files": out, "commitOid": resolve(meta, rev)})

    def lfs_batch(self, rid):
        self.repo(rid, write=True)
        d, out = json.loads(self.body), []
        for o in d["objects"]:
            r = {"oid": o["oid"], "size": o["size"]}
            if not os.path.exists(self.server.store.obj(o["oid"])):
                r["actions"] = {
                    "upload": {"href": f"{self.base}/lfs/{o['oid']}?size={o['size']}", "header": {}},
                    "verify": {"href": f"{self.base}/lfs/{o['oid']}/verify", "header": {}},
                }
            out.append(r)
        self.send(200, {"transfer": "basic", "objects": out})

    def lfs_put(self, oid):
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise Err(400, "The Content-SHA256 you specified did not match what we received.")
        self.server.store.put(oid, self.body)
        self.send(200)

    def lfs_verify(self, oid):
        ok = (
            os.path.exists(self.server.store.obj(oid))
            and os.path.getsize(self.server.store.obj(oid)) == json.loads(self.body)["size"]
        )
        self.send(200, {}) if ok else self.send(404, {"error": "not uploaded"})

    def commit(self, rid, branch):
        st, head, changes = self.server.store, {}, []
        for line in self.body.splitlines():
            item = json.loads(line)
            v = item["value"]
            head = v if item["key"] == "header" else head
            changes += [(item["key"], v)] if item["key"] != "header" else []
        with st.lock:  # all or nothing: nothing is written to the repository before every operation is checked
            meta = self.repo(rid, write=True)
            if branch not in meta["branches"]:
                raise Err(404, f"Invalid rev id: {branch}", "RevisionNotFound")
            cur = meta["branches"][branch]
            if head.get("parentCommit") and not cur.startswith(head["parentCommit"]):
                raise Err(412, "A commit has happened since. Please refresh and try again.")
            tree = dict(meta["commits"][cur]["tree"])
            for key, v in changes:
                if key == "file":
                    data = base64.b64decode(v["content"])
                    oid = git_blob(data)
                    st.put(oid, data)
                    tree[v["path"]] = {"oid": oid, "size": len(data)}
                elif key == "lfsFile":
                    if not os.path.exists(st.obj(v["oid"])):
                        raise Err(400, f"LFS pointer pointed to a file that does not exist: {v['path']}")
                    size = os.path.getsize(st.obj(v["oid"]))
                    tree[v["path"]] = {"oid": git_blob(lfs_pointer(v["oid"], size)), "size": size, "lfs": v["oid"]}
                elif key == "deletedFile":
                    if tree.pop(v["path"], None) is None:
                        raise Err(404, "A file with this name doesn't exist", "EntryNotFound")
                elif key == "deletedFolder":
                    tree = {p: e for p, e in tree.items() if not p.startswith(v["path"].rstrip("/") + "/")}
            sha = st.commit(rid, meta, branch, tree, head.get("summary", ""), head.get("description", ""), self.user)
        self.send(
            200, {"success": True, "commitUrl": f"{self.base}/{rid}/commit/{sha}", "commitOid": sha, "hookOutput": ""}
        )

    # ---- download
    def resolve_file(self, rid, rev, path):
        meta = self.repo(rid)
        sha = resolve(meta, rev)
        e = meta["commits"][sha]["tree"].get(path)
        if e is None:
            raise Err(404, "Entry not found", "EntryNotFound", **{"X-Repo-Commit": sha})
        h = {"X-Repo-Commit": sha, "Content-Disposition": f'inline; filename="{os.path.basename(path)}"'}
        if "lfs" in e:
            h.update({"X-Linked-Etag": f'"{e["lfs"]}"', "X-Linked-Size": str(e["size"]), "ETag": f'"{e["lfs"]}"'})
            if self.server.cdn:  # like the real Hub: LFS bytes live on another host; no Authorization may reach it
                return self.send(
                    302, b"", {**h, "Location": f"{self.server.cdn}/cdn/{e['lfs']}?filename={quote(path)}"}
                )
            return self.send_file(self.server.store.obj(e["lfs"]), h)
        self.send_file(self.server.store.obj(e["oid"]), {**h, "ETag": f'"{e["oid"]}"'})

    def cdn(self, oid):
        if self.headers.get("Authorization"):
            self.server.leaks.append(self.path)
        self.send_file(self.server.store.obj(oid), {"ETag": f'"{oid}"'})


def serve(root, port=0, tls=None, cdn=True, plain_401=False):
    srv = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    srv.daemon_threads = True
    srv.store, srv.faults, srv.log, srv.leaks, srv.plain_401 = Store(root), [], [], [], plain_401
    srv.scheme = "https" if tls else "http"
    srv.url = f"{srv.scheme}://127.0.0.1:{srv.server_port}"
    srv.cdn = f"{srv.scheme}://localhost:{srv.server_port}" if cdn else None  # another origin, same socket
    if tls:
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(*tls)
        srv.socket = ctx.wrap_socket(srv.socket, server_side=True)
    threading.Thread(target=srv.serve_forever, daemon=True).start()
    return srv
