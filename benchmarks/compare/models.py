"""The two models of the engine benchmark in SimPy; prints one line of JSON per model.

Usage: models.py SECONDS: wall seconds of each measured part.
"""
import json
import random
import sys
import time

import simpy


def ping_pong(env, count):
    """Two players who throw one ball to each other; a throw takes 1 to 2 time units."""
    courts = [simpy.Store(env), simpy.Store(env)]

    def player(own, other):
        value = 0
        while True:
            ball = yield courts[own].get()
            value = (value * 16777619 + ball + 1) & 0xFFFFFFFF
            count[0] += 1
            yield env.timeout(1000 + (value & 1023))
            courts[other].put(ball)

    env.process(player(0, 1))
    env.process(player(1, 0))
    courts[0].put(0)


def queue(env, count):
    """One server, Poisson arrivals, exponential service, load 0.8: an event is an arrival or a departure."""
    server = simpy.Resource(env, capacity=1)
    draw = random.Random(1)

    def customer():
        with server.request() as turn:
            yield turn
            yield env.timeout(draw.expovariate(1.0))
        count[0] += 1

    def source():
        while True:
            yield env.timeout(draw.expovariate(0.8))
            count[0] += 1
            env.process(customer())

    env.process(source())


def measure(model, seconds):
    """Model events and SimPy's own events in about `seconds` of wall time, after as long a warm-up."""
    env = simpy.Environment()
    count = [0]
    model(env, count)
    steps = 0

    def run_for(duration):
        nonlocal steps
        begin = time.perf_counter()
        while True:
            for _ in range(5000):
                env.step()
            steps += 5000
            took = time.perf_counter() - begin
            if took >= duration:
                return took

    run_for(seconds / 4)
    count[0] = 0
    steps = 0
    took = run_for(seconds)
    return {"events": count[0], "own_events": steps, "wall_s": took}


for name, model in (("ping-pong", ping_pong), ("queue", queue)):
    print(json.dumps({"model": name, "version": getattr(simpy, "__version__", "?"), **measure(model, float(sys.argv[1]))}))
