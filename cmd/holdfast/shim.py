# SPDX-License-Identifier: Apache-2.0
"""Holdfast's side of Apache Spark: what "holdfast ... --engine spark" hands to spark-submit.

Spark reads, brings the rows of each account together, sorts, retries and commits. All arithmetic is done by
"holdfast worker", through which rows pass as Arrow streams. What to do comes as JSON lines from a socket, one
answer goes back for each. Once the socket closes, whoever asked is gone, and so is this. SPARK.md has the protocol."""
import itertools, json, os, queue, socket, subprocess, sys, tempfile, threading
from pyspark import SparkFiles
from pyspark.sql import SparkSession, functions as F


def through(kind, task, program):
    """Returns what mapInArrow calls for each partition: its rows go through one worker."""
    def run(batches):
        import pyarrow as pa
        first = next(batches, None)
        if first is None: return
        schema, sent, failed, said = first.schema.with_metadata({"holdfast.task": task}), [0], [], tempfile.TemporaryFile()
        worker = subprocess.Popen([SparkFiles.get(program), "worker", kind, "--parent", str(os.getpid())], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=said, env={"GOMAXPROCS": "1", **os.environ})

        def feed():
            try:
                with worker.stdin, pa.ipc.new_stream(worker.stdin, schema) as stream:
                    for batch in itertools.chain([first], batches):
                        stream.write_batch(batch)
                        sent[0] += batch.num_rows
            except BaseException as e:  # where the worker has died, its exit code says why
                failed.append(e)
        feeder, rows, trailer = threading.Thread(target=feed, daemon=True), 0, None
        feeder.start()
        try:
            for batch in pa.ipc.open_stream(worker.stdout):
                end = batch.column(batch.num_columns - 1)
                if batch.num_rows == 1 and end[0].is_valid:
                    trailer = json.loads(end[0].as_py())
                else:
                    rows += batch.num_rows
                yield batch
        except (pa.ArrowInvalid, OSError) as e:
            failed.append(e)
        except GeneratorExit:  # nobody reads on
            worker.kill()
            raise
        code = worker.wait()
        feeder.join()
        said.seek(0)
        words = said.read().decode("utf-8", "replace")[-4000:].strip()
        if code == 0 and not failed and (trailer is None or (trailer["records"], trailer["rows"]) != (sent[0], rows)):
            code, words = 12, f"{sent[0]} records in, {rows} rows out, the trailer is {trailer}"
        if code != 0 or failed:
            raise RuntimeError(f"[[holdfast worker {kind} ended with {code}: {words or failed}]]")
    return run


def quoted(name): return "`" + name.replace("`", "``") + "`"


def cast(column, stored):
    """A column of events in the type of its slot. Nanoseconds come as integers; Spark has no type for them."""
    value, problem = quoted(column["name"]), "[[holdfast worker ended with 4: a time is finer than microseconds, which Spark has not]]"
    if column["type"] == "timestamp" and stored == "bigint":
        return F.expr(f"case when {value} % 1000 = 0 then timestamp_micros({value} div 1000) "
                      f"when {value} is not null then cast(raise_error('{problem}') as timestamp) end")
    return F.col(value).cast(column["type"])


class Engine:
    def __init__(self, spark, program): self.spark, self.program = spark, program

    def open(self, settings, facts, tables, slots, partitions):
        """Names the tables of a history."""
        for key, value in settings.items(): self.spark.conf.set(key, value)
        self.facts = self.spark.read.parquet(facts).withColumn("facts", F.col("facts").cast("binary"))
        self.tables, self.slots, self.partitions = tables, slots, partitions
        self.sources = [self.events(k, t) for k, t in enumerate(tables)]

    def events(self, k, t):
        read = self.spark.read.option("mergeSchema", "true")
        read = read.option("basePath", t["base"]) if t["folders"] else read.option("recursiveFileLookup", "true")
        rows = read.parquet(*t["files"])
        stored = dict(rows.dtypes)
        account = F.coalesce(F.col(quoted(t["account"])).cast("string"), F.lit(""))
        return rows.select(account.alias("account"), F.lit(k + 2).cast("bigint").alias("table"), F.lit(None).cast("binary").alias("facts"),
                           *[cast(c, stored[c["name"]]).alias(c["slot"]) for c in t["columns"]])

    def union(self):
        """The rows of all tables, those of an account together and in order."""
        def filled(rows):
            return rows.select("account", "table", "facts", *[
                F.col(s["slot"]) if s["slot"] in rows.columns else F.lit(None).cast(s["type"]).alias(s["slot"]) for s in self.slots])
        rows = filled(self.facts)
        for source in self.sources:
            rows = rows.unionAll(filled(source))
        shard = (F.crc32(F.col("account").cast("binary")) % self.partitions).cast("int")
        return rows.repartitionById(self.partitions, shard).sortWithinPartitions("account", "table")

    def census(self, source, out):
        """Counts the events of a source by type and day: those that an account has, and that have a time."""
        t = self.tables[source]
        rows = self.sources[source].dropna(subset=[slot for slot in (t["time"], t["known"]) if slot])
        value = (F.col(t["value"]) if t["value"] else F.lit(None)).cast("double")
        by = [F.col(t["type"]).alias("type")] if t["type"] else []
        accounts = self.facts.where("table = 0").select("account").distinct()
        (rows.join(accounts, "account", "left_semi").groupBy(*by, F.col(t["time"]).cast("date").alias("day"))
         .agg(F.count("*").alias("rows"), F.count(F.when(value.isNotNull() & ~F.isnan(value), 1)).alias("valued"),
              F.max(t["time"]).alias("latest")).drop("day").coalesce(1).write.parquet(out))

    def frame(self, folder): return self.spark.read.parquet(folder).where("trailer is null").drop("trailer")

    def write(self, worker, task, schema, out, block, frame=""):
        """Writes what workers answer to the union, or to a frame that was written; without a worker the rows as they are."""
        rows = self.frame(frame) if frame else self.union()
        rows = rows.mapInArrow(through(worker, task, self.program), schema) if worker else rows
        rows.write.option("parquet.block.size", block).parquet(out)

    def cut(self, frame, columns, group, order, shards):
        """Keeps the rows of a frame by shard, each in one partition and in order, and counts them."""
        rows = self.frame(frame).withColumn("shard", F.crc32(F.col(group).cast("binary")) % shards).select("shard", *columns)
        self.kept = rows.repartitionById(self.partitions, F.expr("int(shard)")).sortWithinPartitions("shard", *order).persist()
        return [list(r) for r in self.kept.groupBy("shard").count().collect()]

    def sums(self, task, schema, shards):
        rows = self.kept.where(F.col("shard") < shards).mapInArrow(through("stats", task, self.program), schema)
        return [{"shard": r["c0"], "sums": r["c1"]} for r in rows.where("trailer is null").collect()]


def main(path, program, remote=None):
    conversation, requests = socket.socket(socket.AF_UNIX), queue.Queue()
    conversation.connect(path)

    def listen():
        for line in conversation.makefile("rb"):
            requests.put(json.loads(line))
        os._exit(1)
    threading.Thread(target=listen, daemon=True).start()
    spark = (SparkSession.builder.remote(remote) if remote else SparkSession.builder).getOrCreate()
    if remote: spark.addArtifact(program, file=True)
    engine = Engine(spark, os.path.basename(program))
    while True:
        request = requests.get()
        try:
            answer = {"answer": getattr(engine, request.pop("do"))(**request)}
        except Exception as e:
            answer = {"error": str(e)[:1 << 16]}
        conversation.sendall(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__": main(*sys.argv[1:])
