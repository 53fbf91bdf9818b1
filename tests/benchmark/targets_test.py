"""What is said about targets, and about who is ahead: nothing that was not measured may look like a success."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts/benchmark"))

import summaries
import targets


def contestant(name, role=None):
    family, rest = name.split("/")
    form, _, variant = rest.partition("+")
    role = role or {"pagewire": "ours", "socket": "baseline"}.get(family, "peer")
    return {"id": name, "label": name, "program": f"pagewire-{family}", "family": family, "form": form,
            "variant": variant, "role": role, "transport": "tcp", "flags": []}


def cell(cell_id, figure, rounds=5, **by_contestant):
    """by_contestant: id, with _ for / and + , to one value for all rounds or one for each."""
    entries = {}
    for name, values in by_contestant.items():
        values = values if isinstance(values, dict) else {figure: values}
        runs = []
        for number in range(rounds):
            result = {key: one[number] if isinstance(one, list) else one for key, one in values.items()}
            runs.append({"round": number, "result": result})
        entries[name.replace("__", "+").replace("_", "/")] = {"runs": runs}
    return {"id": cell_id, "figure": figure, "workload": "put", "payload_bytes": 1, "title": cell_id,
            "rounds": [{"round": n, "probe_ms": 5.0} for n in range(rounds)], "contestants": entries}


def judge(*cells):
    contestants = {name: contestant(name) for record in cells for name in record["contestants"]}
    return {target["id"]: target for target in targets.evaluate(list(cells), contestants)}


class TargetsTest(unittest.TestCase):
    def test_every_target_of_a_run_without_cells_is_not_measured(self):
        self.assertEqual({target["verdict"] for target in judge().values()}, {"not measured"})
        self.assertEqual(len(judge()), 11)

    def test_ratio_at_most(self):
        for ours, verdict in ((8.0, "met"), (9.0, "not met")):
            echo = judge(cell("echo-64B-1", "p50_us", pagewire_blocking=ours, socket_echo=6.2))["echo-latency"]
            self.assertEqual(echo["verdict"], verdict)
            self.assertAlmostEqual(echo["rows"][0]["median"], ours / 6.2)

    def test_the_best_form_of_each_side(self):
        echo = judge(cell("echo-64B-32", "calls_per_s", pagewire_blocking=100, pagewire_callback=600, grpc_sync=50,
                          grpc_callback=110, thrift_framed=200, thrift_buffered=250))["echo-rate"]
        rows = [(row["ours"], row["theirs"], row["verdict"]) for row in echo["rows"]]
        self.assertEqual(rows, [("pagewire/callback", "grpc/callback", "met"),
                                ("pagewire/callback", "thrift/buffered", "met")])

    def test_one_row_that_is_not_met_decides(self):
        echo = judge(cell("echo-64B-32", "calls_per_s", pagewire_callback=600, grpc_callback=110,
                          thrift_framed=400))["echo-rate"]
        self.assertEqual([row["verdict"] for row in echo["rows"]], ["met", "not met"])
        self.assertEqual(echo["verdict"], "not met")

    def test_a_missing_peer_is_not_beaten(self):
        echo = judge(cell("echo-64B-32", "calls_per_s", pagewire_callback=600, grpc_callback=110))["echo-rate"]
        thrift = echo["rows"][1]
        self.assertEqual((thrift["verdict"], thrift["note"]), ("inconclusive", "no figures of Thrift"))
        self.assertEqual(echo["verdict"], "inconclusive")

    def test_ours_missing(self):
        echo = judge(cell("echo-64B-1", "p50_us", socket_echo=6.2))["echo-latency"]
        self.assertEqual((echo["verdict"], echo["rows"][0]["note"]), ("inconclusive", "no figures of ours"))

    def test_too_few_rounds(self):
        echo = judge(cell("echo-64B-1", "p50_us", rounds=3, pagewire_blocking=6.2, socket_echo=6.2))["echo-latency"]
        self.assertEqual(echo["verdict"], "inconclusive")

    def test_noise_around_the_limit(self):
        ours = [8.0, 8.5, 8.5, 8.6, 8.0]  # the median is above 1.35 × 6.2, the best is below
        echo = judge(cell("echo-64B-1", "p50_us", pagewire_blocking=ours, socket_echo=6.2))
        self.assertEqual(echo["echo-latency"]["verdict"], "inconclusive")

    def test_an_absolute_figure_and_others_beside_it(self):
        cpu = judge(cell("echo-64B-1-pinned", "total_cpu_us_per_call", pagewire_blocking=4.5,
                         socket_echo=3.6))["echo-cpu"]
        self.assertEqual((cpu["verdict"], cpu["rows"][0]["median"]), ("met", 4.5))
        self.assertEqual([(one["contestant"], one["median"]) for one in cpu["beside"]], [("socket/echo", 3.6)])

    def test_whole_and_piecewise_are_kept_apart(self):
        both = {"gb_per_s": 20, "total_cpu_us_per_mb": 90}
        bulk = judge(cell("put-16MiB-4-carry", "gb_per_s",
                          pagewire_callback={"gb_per_s": 9, "total_cpu_us_per_mb": 130},
                          pagewire_callback__piecewise=both, socket_mat={"gb_per_s": 9},
                          thrift_buffered={"gb_per_s": 10, "total_cpu_us_per_mb": 150}))
        large = {row["against"]: row for row in bulk["bulk-large"]["rows"] if row["cell"] == "put-16MiB-4-carry"}
        self.assertEqual((large["Thrift"]["ours"], large["Thrift"]["verdict"]), ("pagewire/callback", "not met"))
        cpu = [row for row in bulk["bulk-cpu"]["rows"]
               if row["against"] == "Thrift" and row["cell"] == "put-16MiB-4-carry"]
        self.assertEqual([(row["limit"], row["ours"], row["verdict"]) for row in cpu],
                         [(0.9, "pagewire/callback", "met"), (0.7, "pagewire/callback+piecewise", "met")])

    def test_one_form_of_ours_for_all_rows_of_a_cell(self):
        # The fast form is dear, the cheap one slow: the cheap one's CPU does not count.
        cpu = judge(cell("put-16MiB-4-carry", "gb_per_s", pagewire_callback={"gb_per_s": 9, "total_cpu_us_per_mb": 160},
                         pagewire_blocking={"gb_per_s": 5, "total_cpu_us_per_mb": 100},
                         thrift_buffered={"gb_per_s": 8, "total_cpu_us_per_mb": 150}))["bulk-cpu"]
        row = next(row for row in cpu["rows"] if row["against"] == "Thrift" and row["limit"] == 0.9 and row["ours"])
        self.assertEqual((row["ours"], row["verdict"]), ("pagewire/callback", "not met"))

    def test_memory_of_the_receiver(self):
        for mib, verdict in ((100, "met"), (120, "not met")):
            memory = judge(cell("get-16MiB-4-carry", "gb_per_s", pagewire_callback={
                "gb_per_s": 9, "client_peak_rss_bytes": mib << 20, "server_peak_rss_bytes": 1}))["receiver-memory"]
            self.assertEqual(memory["verdict"], verdict)

    def test_mixed(self):
        ours = {"pagewire_callback": 12, "pagewire_callback__bulk lanes": 6, "grpc_callback": 40}
        rows = judge(cell("mixed", "beside_over_alone_p99", **ours))["mixed"]["rows"]
        self.assertEqual([(row["limit"], row["median"], row["verdict"]) for row in rows],
                         [(5, 6, "not met"), (20, 12, "met")])

    def test_allocations(self):
        for count, verdict in ((0.0, "met"), (0.001, "met"), (0.5, "not met")):
            rows = judge(cell("allocations", "allocations_per_call", pagewire_callback=count))
            self.assertEqual(rows["allocations"]["verdict"], verdict)


class LostTest(unittest.TestCase):
    def lost(self, *cells):
        contestants = {name: contestant(name) for record in cells for name in record["contestants"]}
        return [(row["cell"], row["theirs"], round(row["behind"], 2)) for row in targets.lost(list(cells), contestants)]

    def test_worst_first_whichever_way_the_figure_is_read(self):
        self.assertEqual(self.lost(
            cell("put-1MiB-4-carry", "gb_per_s", pagewire_callback=10, zeromq_dealer=12, thrift_framed=9),
            cell("echo-64B-1", "p50_us", pagewire_callback=10, thrift_framed=5, grpc_sync=15)),
            [("echo-64B-1", "thrift/framed", 2.0), ("put-1MiB-4-carry", "zeromq/dealer", 1.2)])

    def test_one_hot_buffer_is_no_whole_payload(self):
        self.assertEqual(self.lost(cell("put-16MiB-4-carry", "gb_per_s", pagewire_callback=10, socket_block=20,
                                        socket_mat=9)), [])
        self.assertEqual(self.lost(cell("piecewise-put-1GiB", "gb_per_s", pagewire_callback__piecewise=10,
                                        socket_block=20)), [("piecewise-put-1GiB", "socket/block", 2.0)])


class SummariesTest(unittest.TestCase):
    def test_ours_is_the_best_form_and_compared_with_everyone(self):
        record = cell("put-1MiB-4-carry", "gb_per_s", pagewire_callback=[9, 10, 11, 9, 9], pagewire_blocking=5,
                      thrift_framed=[3, 5, 11, 3, 3])
        summaries.summarize(record, {name: contestant(name) for name in record["contestants"]})
        self.assertEqual(record["ours"], "pagewire/callback")
        ratio = record["contestants"]["thrift/framed"]["ours_over"]["gb_per_s"]
        self.assertEqual((ratio["median"], ratio["min"], ratio["max"], ratio["best"]), (3, 1, 3, 1))
        self.assertEqual(record["contestants"]["pagewire/blocking"]["figures"]["gb_per_s"],
                         {"median": 5, "min": 5, "max": 5, "rounds": 5})

    def test_slow_rounds(self):
        record = cell("a", "p50_us", rounds=2, x_y=1)
        record["rounds"] = [{"round": 0, "probe_ms": 5.0}, {"round": 1, "probe_ms": 10.0}]
        found = [(row["round"], row["median"]) for row in summaries.slow_rounds([record])]
        self.assertEqual(found, [(0, 1.0), (1, 2.0)])


if __name__ == "__main__":
    unittest.main()
