// A few requests at a time, the most important first.

interface Job { priority: number; start: () => void; signal: AbortSignal }

export class Queue {
	private waiting: Job[] = [];
	private running = 0;

	/** limit is how many tasks run at a time. Browsers open six connections to a host. */
	constructor(private limit: number) {}

	/** run calls task when it is its turn: lower priorities first. A task whose signal
	 * is aborted while it waits is not called. */
	run<T>(priority: number, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
		return new Promise<T>((resolve, reject) => {
			const aborted = () => {
				this.waiting = this.waiting.filter((j) => j !== job);
				reject(new DOMException("given up while waiting", "AbortError"));
			};
			if (signal.aborted) {
				reject(new DOMException("given up", "AbortError"));
				return;
			}
			const job: Job = {
				priority,
				signal,
				start: () => {
					signal.removeEventListener("abort", aborted);
					this.running++;
					task().then(resolve, reject).finally(() => {
						this.running--;
						this.next();
					});
				},
			};
			signal.addEventListener("abort", aborted, { once: true });
			this.waiting.push(job);
			this.next();
		});
	}

	private next(): void {
		while (this.running < this.limit && this.waiting.length > 0) {
			const first = this.waiting.reduce((a, b) => (b.priority < a.priority ? b : a));
			this.waiting = this.waiting.filter((j) => j !== first);
			first.start();
		}
	}
}
