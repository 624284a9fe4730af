# The bootstrap of python* functions: loads the handler and serves invocations one by one over the socket on fd 3.
import sys
import os


def run():
    import io
    import json
    import logging
    import struct
    import time
    import traceback

    INVOKE, READY, INIT_ERROR, RESULT, ERROR, LOG, PRINT = b"IRFOELP"
    head = struct.Struct(">IB")
    fd = 3
    env = os.environ
    json_logs = env.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    log_level = {"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(
        env.get("AWS_LAMBDA_LOG_LEVEL", ""), env.get("AWS_LAMBDA_LOG_LEVEL", "")
    )

    # Frames: u32 length of the body, u8 type, body.

    import threading

    sending = threading.Lock()

    def send(kind, body):
        data = head.pack(len(body), kind) + body
        with sending:
            sent = os.write(fd, data)
            while sent < len(data):
                data = memoryview(data)[sent:]
                sent = os.write(fd, data)

    pending = bytearray()

    def read(n):
        while len(pending) < n:
            got = os.read(fd, max(65536, n - len(pending)))
            if not got:
                os._exit(0)  # the gateway is gone
            pending.extend(got)
        out = bytes(memoryview(pending)[:n])
        del pending[:n]
        return out

    # Names below localhost are this machine's (RFC 6761, section 6.3). Few resolvers of Linux know, and the hosts of
    # APIs are such names by default. What the socket module calls is replaced, which may never be loaded.

    import _socket

    resolve = _socket.getaddrinfo

    def getaddrinfo(host, port, family=0, *args, **kwargs):
        name = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else host
        if isinstance(name, str) and name.rstrip(".").lower().endswith(".localhost"):
            host = "::1" if family == getattr(_socket, "AF_INET6", None) else "127.0.0.1"
        return resolve(host, port, family, *args, **kwargs)

    _socket.getaddrinfo = getaddrinfo

    # Output goes through the socket too, so that prints and log records keep their order.

    class Output(io.RawIOBase):
        def __init__(self, number):
            self.number = number

        def writable(self):
            return True

        def fileno(self):
            return self.number

        def write(self, b):
            data = bytes(b)
            send(PRINT, data)
            return len(data)

    def text(number):
        out = io.TextIOWrapper(
            io.BufferedWriter(Output(number), 65536), encoding="utf-8", errors="backslashreplace", line_buffering=True
        )
        out.mode = "w"
        return out

    sys.stdout = text(1)
    sys.stderr = text(2)

    current = {"id": None}

    def log_line(message):
        sys.stdout.flush()
        send(LOG, message.encode("utf-8", "backslashreplace"))

    class Sink:
        def log(self, message, frame_type=None):
            log_line(message)

        def log_error(self, lines):
            log_line("\n".join(lines))

    sink = Sink()

    class JSONFormatter(logging.Formatter):
        known = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "aws_request_id", "tenant_id", "taskName"}

        def format(self, record):
            out = {
                "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
                "level": record.levelname,
                "message": record.getMessage(),
                "logger": record.name,
            }
            if record.exc_info:
                kind, value, tb = record.exc_info
                out["stackTrace"] = traceback.format_list(traceback.extract_tb(tb))
                out["errorType"] = kind.__name__ if kind else ""
                out["errorMessage"] = str(value)
                out["location"] = "%s:%s:%s" % (record.pathname, record.funcName, record.lineno)
            out["requestId"] = getattr(record, "aws_request_id", "")
            out.update((k, v) for k, v in vars(record).items() if k not in self.known)
            return json.dumps({k: v for k, v in out.items() if v not in (None, "")}, default=str)

    class Handler(logging.Handler):
        log_sink = sink

        def emit(self, record):
            try:
                log_line(self.format(record))
            except Exception:
                self.handleError(record)

    class AddRequest(logging.Filter):
        def filter(self, record):
            record.aws_request_id = current["id"] or ""
            record.tenant_id = None
            return True

    def set_up_logging():
        logging.Formatter.converter = time.gmtime
        handler = Handler()
        if json_logs:
            handler.setFormatter(JSONFormatter())
        else:
            handler.setFormatter(
                logging.Formatter(
                    "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
                )
            )
        root = logging.getLogger()
        if isinstance(logging.getLevelName(log_level), int):
            root.setLevel(log_level)
        handler.addFilter(AddRequest())
        root.addHandler(handler)

    # Errors.

    class Fault(Exception):
        def __init__(self, kind, message, trace=None):
            Exception.__init__(self, message)
            self.kind, self.message, self.trace = kind, message, trace

    def document(message, kind, trace, request_id=""):
        return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace or []}

    def caught(request_id=""):
        kind, value, tb = sys.exc_info()
        if isinstance(value, Fault):
            return document(value.message, value.kind, value.trace, request_id)
        frames = list(traceback.extract_tb(tb))
        own = __file__
        for i, frame in enumerate(frames):
            if frame.filename != own:
                frames = frames[i:]
                break
        else:
            frames = []
        return document(str(value), kind.__name__, traceback.format_list(frames), request_id)

    def log_error(error):
        if json_logs:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            log_line(json.dumps(dict(timestamp=stamp, log_level="ERROR", **error)))
            return
        title = "[ERROR]"
        if error["errorType"]:
            title += " " + error["errorType"]
        if error["errorMessage"]:
            title += (":" if error["errorType"] else "") + " " + error["errorMessage"]
        lines = [title, "Traceback (most recent call last):"]
        for entry in error["stackTrace"]:
            for line in entry.splitlines() or [""]:
                bare = line.lstrip(" ")
                lines.append("\u00a0" * (len(line) - len(bare)) + bare)
        log_line("\n".join(lines))

    def encode(value):
        def other(o):
            import decimal

            if isinstance(o, decimal.Decimal):
                return float(o)
            raise TypeError("Object of type %s is not JSON serializable" % type(o).__name__)

        try:
            return json.dumps(value, ensure_ascii=False, separators=(", ", ": "), default=other).encode("utf-8")
        except UnicodeEncodeError:  # a lone surrogate has no UTF-8
            return json.dumps(value, default=other).encode("utf-8")
        except Exception as e:
            raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % (e,)) from None

    # The context object.

    class Fields:
        names = ()

        def __init__(self, values):
            for name in self.names:
                setattr(self, name, values.get(name))

        def __repr__(self):
            inner = ",".join("%s=%s" % (n, getattr(self, n)) for n in self.names)
            return "%s([%s])" % (type(self).__name__, inner)

    class CognitoIdentity(Fields):
        names = ("cognito_identity_id", "cognito_identity_pool_id")

    class Client(Fields):
        names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")

    class ClientContext(Fields):
        names = ("custom", "env", "client")

    class LambdaContext:
        log_group_name = env.get("AWS_LAMBDA_LOG_GROUP_NAME")
        log_stream_name = env.get("AWS_LAMBDA_LOG_STREAM_NAME")
        function_name = env.get("AWS_LAMBDA_FUNCTION_NAME")
        memory_limit_in_mb = env.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        function_version = env.get("AWS_LAMBDA_FUNCTION_VERSION")
        tenant_id = None

        def __init__(self, request_id, arn, deadline, client_context, identity):
            self.aws_request_id = request_id
            self.invoked_function_arn = arn
            self._epoch_deadline_time_in_ms = deadline
            self.client_context = None
            if client_context:
                self.client_context = ClientContext(parse(client_context, "Client Context"))
                if self.client_context.client is not None:
                    self.client_context.client = Client(self.client_context.client)
            found = parse(identity, "Cognito Identity") if identity else {}
            self.identity = CognitoIdentity(
                {
                    "cognito_identity_id": found.get("cognitoIdentityId"),
                    "cognito_identity_pool_id": found.get("cognitoIdentityPoolId"),
                }
            )

        def get_remaining_time_in_millis(self):
            return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

        def log(self, msg):
            log_line(str(msg))

        def __repr__(self):
            names = (
                "aws_request_id log_group_name log_stream_name function_name memory_limit_in_mb function_version "
                "invoked_function_arn client_context identity tenant_id"
            ).split()
            return "LambdaContext([%s])" % ",".join("%s=%s" % (n, getattr(self, n)) for n in names)

    def parse(raw, name):
        try:
            return json.loads(raw)
        except Exception as e:
            raise Fault("Runtime.LambdaContextUnmarshalError", "Unable to parse %s JSON: %s" % (name, e)) from None

    # Loading the handler.

    def load(handler):
        import importlib

        module_name, dot, function_name = handler.rpartition(".")
        if not dot:
            raise Fault(
                "Runtime.MalformedHandlerName",
                "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % handler,
            )
        if module_name.split(".")[0] in sys.builtin_module_names:
            raise Fault(
                "Runtime.BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module_name
            )
        try:
            module = importlib.import_module(module_name.replace("/", "."))
        except ImportError as e:
            message = str(e)
            if (e.name or "").split(".")[0] in ("boto3", "botocore", "s3transfer", "jmespath", "urllib3"):
                message += (
                    " (AWS ships it with the runtime: install it into a folder and start gatehouse with"
                    " --function-modules DIR)"
                )
            raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, message))
        except SyntaxError as e:
            raise Fault(
                "Runtime.UserCodeSyntaxError",
                "Syntax error in module '%s': %s" % (module_name, e),
                ['  File "%s" Line %s\n    %s' % (e.filename, e.lineno, e.text)],
            )
        try:
            return getattr(module, function_name)
        except AttributeError:
            raise Fault(
                "Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name)
            ) from None

    set_up_logging()
    try:
        handler = load(env["_HANDLER"])
    except Exception:
        error = caught()
        log_error(error)
        sys.stderr.flush()
        send(INIT_ERROR, json.dumps(error).encode())
        sys.stdout.flush()
        os._exit(1)
    sys.stdout.flush()
    send(READY, b"")

    def handle(body):
        deadline = int.from_bytes(body[:8], "big")
        at = 8
        fields = []
        for _ in range(5):
            n = int.from_bytes(body[at : at + 4], "big")
            fields.append(body[at + 4 : at + 4 + n].decode("utf-8"))
            at += 4 + n
        request_id, arn, trace, client_context, identity = fields
        current["id"] = request_id
        if trace:
            env["_X_AMZN_TRACE_ID"] = trace
        else:
            env.pop("_X_AMZN_TRACE_ID", None)
        try:
            context = LambdaContext(request_id, arn, deadline, client_context, identity)
            try:
                event = json.loads(body[at:])
            except Exception as e:
                raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % (e,)) from None
            return RESULT, encode(handler(event, context))
        except Exception:
            error = caught(request_id)
            log_error(error)
            return ERROR, json.dumps(error).encode()

    while True:
        size, kind = head.unpack(read(5))
        body = read(size)
        if kind != INVOKE:
            raise ValueError("unexpected frame %r" % kind)
        kind, answer = handle(body)
        sys.stdout.flush()
        sys.stderr.flush()
        send(kind, answer)


if __name__ == "__main__":
    # The handler's module must not see this file's folder or name.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    run()
