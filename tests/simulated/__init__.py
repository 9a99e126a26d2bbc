"""A whole trial simulated on the real code: people who err, a clock that jumps, and a night after whatever they did."""
