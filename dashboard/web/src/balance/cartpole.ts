// The physics of a pole on a cart, as far as whoever balances it has to know them. The equations, and where they come from, are in the
// twin, device/machine/cartpole. Nothing is allocated by a step: a prediction takes a dozen of them, a hundred times a second.

/** Params say what is built: kg, m, N and s. */
export interface Params {
	readonly cart: number;
	readonly pole: number;
	readonly half: number; // of the pole's length
	readonly gravity: number;
	readonly rolling: number; // friction of the cart, N·s/m
	readonly hinge: number; // friction of the hinge, N·m·s/rad
	readonly rail: number; // from the middle to each end
	readonly maxForce: number;
}

/** STANDARD is the cart-pole of the simulated machine. */
export const STANDARD: Params = {
	cart: 1,
	pole: 0.1,
	half: 0.5,
	gravity: 9.81,
	rolling: 0.1,
	hinge: 0.001,
	rail: 2.4,
	maxForce: 10,
};

/** State is where everything is and how it moves. */
export interface State {
	x: number; // m, from the middle of the rail, to the right
	v: number; // m/s
	angle: number; // rad from upright, to the right
	spin: number; // rad/s
	down: boolean; // it lies on the rail, and stays there
}

/** FLAT is the angle at which the pole lies on the rail. */
export const FLAT = Math.PI / 2;

/** Model moves states on. */
export class Model {
	// What accelerate found.
	private a = 0;
	private turn = 0;

	constructor(readonly params: Params) {}

	/** step moves a state on by dt seconds, under a force of the motor in N: Runge and Kutta's classic method. */
	step(s: State, wanted: number, dt: number): void {
		const { maxForce } = this.params;
		const force = Math.min(Math.max(wanted, -maxForce), maxForce);
		const { x, v, angle, spin, down } = s;
		const half = dt / 2;
		this.accelerate(v, angle, spin, down, force);
		const a1 = this.a;
		const t1 = this.turn;
		const v2 = v + half * a1;
		const spin2 = spin + half * t1;
		this.accelerate(v2, angle + half * spin, spin2, down, force);
		const a2 = this.a;
		const t2 = this.turn;
		const v3 = v + half * a2;
		const spin3 = spin + half * t2;
		this.accelerate(v3, angle + half * spin2, spin3, down, force);
		const a3 = this.a;
		const t3 = this.turn;
		const v4 = v + dt * a3;
		const spin4 = spin + dt * t3;
		this.accelerate(v4, angle + dt * spin3, spin4, down, force);
		s.x = x + (dt / 6) * (v + 2 * v2 + 2 * v3 + v4);
		s.v = v + (dt / 6) * (a1 + 2 * a2 + 2 * a3 + this.a);
		s.angle = angle + (dt / 6) * (spin + 2 * spin2 + 2 * spin3 + spin4);
		s.spin = spin + (dt / 6) * (t1 + 2 * t2 + 2 * t3 + this.turn);
		this.bump(s);
		land(s);
	}

	private accelerate(v: number, angle: number, spin: number, down: boolean, force: number): void {
		const { cart, pole, half, gravity, rolling, hinge } = this.params;
		if (down) {
			this.a = (force - rolling * v) / (cart + pole);
			this.turn = 0;
			return;
		}
		const sin = Math.sin(angle);
		const m11 = cart + pole;
		const m12 = pole * half * Math.cos(angle);
		const m22 = this.inertia();
		const f1 = force - rolling * v + pole * half * spin * spin * sin;
		const f2 = pole * gravity * half * sin - hinge * spin;
		const det = m11 * m22 - m12 * m12;
		this.a = (m22 * f1 - m12 * f2) / det;
		this.turn = (m11 * f2 - m12 * f1) / det;
	}

	private inertia(): number {
		return (4 / 3) * this.params.pole * this.params.half * this.params.half;
	}

	/** bump stops the cart at an end of the rail; the pole is thrown on. */
	private bump(s: State): void {
		const { pole, half, rail } = this.params;
		if (Math.abs(s.x) <= rail) return;
		s.x = Math.sign(s.x) * rail;
		if (s.v * s.x <= 0) return;
		if (!s.down) s.spin += (pole * half * Math.cos(s.angle) * s.v) / this.inertia();
		s.v = 0;
	}
}

function land(s: State): void {
	if (s.down || Math.abs(s.angle) < FLAT) return;
	s.angle = Math.sign(s.angle) * FLAT;
	s.spin = 0;
	s.down = true;
}
