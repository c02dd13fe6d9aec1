"""Other simulators of delayed Jansen-Rit networks: the same connectome, constants, noise, step and method (Heun).

All of them are under the GPL or the EUPL: they are measured here, and nothing else needs them.
"""

from collections.abc import Callable

import numpy as np

from crossmodal.config.cortex import NeuralMasses
from crossmodal.physics.connectome import Connectome

# (connectome, settings, simulations, steps) to what runs them once; the first run may compile.
Simulate = Callable[[Connectome, NeuralMasses, int, int], Callable[[], object]]


def tvboptim(connectome: Connectome, settings: NeuralMasses, n_simulations: int, n_steps: int) -> Callable[[], object]:
    """Simulate by tvboptim in its sparse form: JAX, compiled, simulations side by side."""
    import jax
    from tvboptim.experimental.network_dynamics.core.network import Network
    from tvboptim.experimental.network_dynamics.coupling.tvb import DelayedSigmoidalJansenRit
    from tvboptim.experimental.network_dynamics.dynamics.tvb.jansen_rit import JansenRit
    from tvboptim.experimental.network_dynamics.graph.sparse import SparseDelayGraph
    from tvboptim.experimental.network_dynamics.noise.gaussian import AdditiveNoise
    from tvboptim.experimental.network_dynamics.solve import prepare
    from tvboptim.experimental.network_dynamics.solvers.native import Heun

    delays_ms_nn = (connectome.lengths_m_nn * 1e3 / settings.conduction_m_per_s).astype(np.float32)
    network = Network(
        JansenRit(v0=6.0, mu=settings.drive_per_ms),
        # The one of its three buffers whose cost does not grow with the longest delay.
        {"delayed": DelayedSigmoidalJansenRit(incoming_states=("y1", "y2"), buffer_strategy="circular")},
        SparseDelayGraph(connectome.weights_nn.astype(np.float32), delays_ms_nn),
        noise=AdditiveNoise(sigma=(2 * settings.noise) ** 0.5, apply_to="y4"),
    )
    solve, config = prepare(network, Heun(), t0=0.0, t1=n_steps * settings.step_ms, dt=settings.step_ms)

    def one(key: jax.Array) -> jax.Array:
        config.noise.key = key
        states_tsn = solve(config).ys
        return states_tsn[:, 1] - states_tsn[:, 2]

    several = jax.jit(jax.vmap(one))
    keys = jax.random.split(jax.random.key(0), n_simulations)
    return lambda: several(keys).block_until_ready()


def tvb(connectome: Connectome, settings: NeuralMasses, n_simulations: int, n_steps: int) -> Callable[[], object]:
    """Simulate by tvb-library, which takes one simulation after the other."""
    from tvb.datatypes.connectivity import Connectivity
    from tvb.simulator import coupling, integrators, models, monitors, noise, simulator

    n_regions = len(connectome)
    connectivity = Connectivity(
        weights=connectome.weights_nn,
        tract_lengths=connectome.lengths_m_nn * 1e3,
        region_labels=np.array([str(region) for region in range(n_regions)]),
        centres=np.zeros((n_regions, 3)),
        speed=np.array([settings.conduction_m_per_s]),
    )
    nsig_sn1 = np.zeros((6, n_regions, 1))
    nsig_sn1[4] = settings.noise
    simulation = simulator.Simulator(
        model=models.JansenRit(v0=np.array([6.0]), mu=np.array([settings.drive_per_ms]), variables_of_interest=("y1", "y2")),
        connectivity=connectivity,
        coupling=coupling.SigmoidalJansenRit(),
        integrator=integrators.HeunStochastic(dt=settings.step_ms, noise=noise.Additive(nsig=nsig_sn1)),
        monitors=(monitors.Raw(),),
    ).configure()
    length_ms = n_steps * settings.step_ms
    return lambda: [simulation.run(simulation_length=length_ms) for _ in range(n_simulations)]
