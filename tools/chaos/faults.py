"""What each kind of fault does, and what is told about it afterwards.

How:  a fault begins with a watch on the output partitions of the processes concerned, does its harm,
      undoes it, and is over when every one of those partitions has committed output again. What has not
      recovered within its time is told as such; the verdict at the end decides whether it is stuck.
"""

import time

HEAL_S = 90
TERM_S = 45


class Faults:
    """Carries faults out, one after the other."""

    def __init__(self, world, pipeline, probe, stack, proxies):
        self.world = world
        self.pipeline = pipeline
        self.probe = probe
        self.stack = stack
        self.proxies = proxies
        self.kills = 0

    def run(self, fault):
        """Returns what happened, as plain values."""
        self.world.wait(fault.pause_s)
        self.probe.refresh()
        at_s = round(self.world.seconds(), 2)
        told = getattr(self, fault.kind.replace("-", "_"))(fault)
        told = {"number": fault.number, "kind": fault.kind, "targets": fault.targets, "at_s": at_s,
                "duration_s": fault.duration_s, **told}
        self.world.say(line(fault, told))
        return told

    # ---- what they share

    def instances(self, fault):
        return [self.pipeline.instances[name] for name in fault.targets]

    def watch_of(self, instances):
        places = set()
        for one in instances:
            if one.group in self.probe.known:
                places |= self.probe.places_of(one.group, one.ordinal)
        return self.probe.watch(places)

    def heal(self, watch, seconds=HEAL_S):
        """Waits for all partitions of the watch and tells how long they took."""
        recovered = self.world.wait_until(watch.done, seconds, every_s=0.01)
        self.probe.forget(watch)
        return {"recovery_ms": watch.recovery_ms(), "recovered": recovered,
                "partitions": {f"{topic}/{partition}": round(seconds_ * 1000, 1)
                               for (topic, partition), seconds_ in sorted(watch.arrived.items())},
                "missing": [f"{topic}/{partition}" for topic, partition in watch.missing()]}

    def await_end(self, instance):
        """Of one that was asked to end; None when it had to be killed."""
        if not self.world.wait_until(lambda: not instance.alive(), TERM_S):
            instance.kill()
            return None
        return instance.child.returncode

    # ---- kill -9

    def kill(self, fault):
        instances = self.instances(fault)
        watch = self.watch_of(instances)
        for one in instances:
            one.kill()
        for one in instances:
            one.start()
        self.kills += len(instances)
        return self.heal(watch)

    kill_many = kill

    def kill_late(self, fault):
        instance, = self.instances(fault)
        watch = self.watch_of([instance])
        instance.kill()
        self.kills += 1
        self.world.wait(fault.duration_s)
        taken_over = watch.done()
        instance.start()
        told = self.heal(watch)
        # The one that is back takes its share again: that is not this fault any more, but no fault either.
        self.world.wait_until(instance.ready, HEAL_S, every_s=0.1)
        return {**told, "taken_over": taken_over}

    def kill_wiped(self, fault):
        instance, = self.instances(fault)
        watch = self.watch_of([instance])
        instance.kill()
        instance.wipe()
        instance.start()
        self.kills += 1
        return self.heal(watch)

    # ---- softer ones

    def stop(self, fault):
        instance, = self.instances(fault)
        watch = self.watch_of([instance])
        instance.pause()
        self.world.wait(fault.duration_s)
        instance.resume()
        resumed = time.monotonic()
        told = self.heal(watch)
        self.world.wait_until(instance.ready, HEAL_S, every_s=0.1)
        return {**told, "after_end_ms": after_ms(watch, resumed)}

    def term(self, fault):
        instance, = self.instances(fault)
        watch = self.watch_of([instance])
        instance.terminate()
        code = self.await_end(instance)
        instance.start()
        return {**self.heal(watch), "exit_code": code}

    def scale(self, fault):
        """All of a group but one end, and come back one by one."""
        group = self.pipeline.of_group(fault.targets[0])
        leaving = group[1:]
        watch = self.watch_of(group)
        for one in leaving:
            one.terminate()
        codes = [self.await_end(one) for one in leaving]
        told = self.heal(watch)
        steps = []
        for one in leaving:
            self.world.wait(fault.duration_s)
            self.probe.refresh()
            watch = self.watch_of(group)
            one.start()
            self.world.wait_until(one.ready, HEAL_S, every_s=0.05)
            steps.append(self.heal(watch)["recovery_ms"])
        return {**told, "exit_codes": codes, "steps_ms": steps}

    # ---- servers

    def broker(self, fault, hard):
        number = int(fault.targets[0].rpartition("-")[2])
        watch = self.probe.watch(self.probe.places_of_all())
        self.stack.end_broker(number, hard)
        self.world.wait(fault.duration_s)
        self.stack.begin_again()
        back = time.monotonic()
        told = self.heal(watch)
        return {**told, "after_end_ms": after_ms(watch, back)}

    def broker_stop(self, fault):
        return self.broker(fault, hard=False)

    def broker_kill(self, fault):
        return self.broker(fault, hard=True)

    def way(self, fault, begin):
        """A fault of the way to Kafka: begin(proxy) does the harm, restore() undoes it."""
        watch = self.watch_of(self.instances(fault))
        ways = [proxy for name, proxy in self.proxies.items() if name.startswith("kafka")]
        for proxy in ways:
            begin(proxy)
        self.world.wait(fault.duration_s)
        for proxy in ways:
            proxy.restore()
        restored = time.monotonic()
        told = self.heal(watch)
        self.world.wait_until(lambda: all(one.ready() for one in self.instances(fault)), HEAL_S, every_s=0.1)
        return {**told, "after_end_ms": after_ms(watch, restored)}

    def cut(self, fault):
        return self.way(fault, lambda proxy: proxy.refuse())

    def freeze(self, fault):
        return self.way(fault, lambda proxy: proxy.stall())

    def slow(self, fault):
        return self.way(fault, lambda proxy: proxy.slow(fault.delay_ms / 1000))

    def stores(self, fault):
        names = ["documentdb", "redis"] if fault.targets == ["both"] else fault.targets
        for name in names:
            self.proxies[name].refuse()
        self.world.wait(fault.duration_s)
        for name in names:
            self.proxies[name].restore()
        restored = time.monotonic()
        connectors = self.pipeline.of_group("connectors")
        ready = self.world.wait_until(lambda: all(one.ready() for one in connectors), HEAL_S, every_s=0.05)
        took = round((time.monotonic() - restored) * 1000, 1)
        return {"recovery_ms": round(took + fault.duration_s * 1000, 1), "recovered": ready, "partitions": {},
                "missing": [] if ready else ["connectors are not ready"], "after_end_ms": took}


def after_ms(watch, moment):
    """How long the slowest partition took from a moment on; 0 when it did not wait for it."""
    latest = max(watch.arrived.values(), default=0.0)
    return max(0.0, round((watch.began + latest - moment) * 1000, 1))


def line(fault, told):
    """One line of progress."""
    took = "" if told["recovery_ms"] is None else f"recovered in {told['recovery_ms']:.0f} ms"
    if not told["recovered"]:
        took = f"NOT RECOVERED: {', '.join(told['missing'])}"
    lasting = f" for {fault.duration_s:.1f} s" if fault.duration_s else ""
    return f"{fault.number:4} {fault.kind:<12} {' '.join(fault.targets)}{lasting}  {took}"
