// One moment in time, marked in all charts of a page.

export interface Follower {
	/** mark shows a moment, in unix milliseconds, or none. */
	mark(time: number | null): void;
}

export class Crosshair {
	private followers = new Set<Follower>();
	private frame = 0;
	private next: number | null = null;
	private source: Follower | null = null;

	join(follower: Follower): () => void {
		this.followers.add(follower);
		return () => this.followers.delete(follower);
	}

	/** point marks a moment in all charts but the one that says it. */
	point(source: Follower, time: number | null): void {
		this.source = source;
		this.next = time;
		// A mouse moves more often than a screen is drawn.
		this.frame ||= requestAnimationFrame(() => {
			this.frame = 0;
			for (const follower of this.followers) if (follower !== this.source) follower.mark(this.next);
		});
	}
}
