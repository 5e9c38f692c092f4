/* session.h - the mount: from the device to the worker threads and back.
 *
 * Order of a life: session_new, (fill fs->index and fs->fetch), session_mount,
 * fetch_start, session_hand_over, session_run, session_unmount, session_free. All of it on one
 * thread, after fork(), but for session_stop().
 *
 * The workers (W) are a fixed number of threads; no request ever makes one wait
 * for the network, so few are enough. */
#ifndef FS_SESSION_H
#define FS_SESSION_H

struct fs;
struct options;

/* Prepares *fs, which is all zero but for keeper, index and fetch, and makes the session.
 * o is borrowed until session_free(). From here on notify_stale_names() may be
 * called. 0 or -errno; a reason is logged. */
int session_new(struct fs *fs, const struct options *o);

/* Mounts, or takes over what the daemon before had mounted (keeper.h).
 * 0 or -errno; a reason is logged. Other requests than INIT wait until session_run(). */
int session_mount(struct fs *fs, const char *mountpoint);

/* From now on the keeper, if there is one, has another daemon take over when this dies. */
void session_hand_over(struct fs *fs);

/* Serves until the filesystem is unmounted or session_stop() is called. Then stops
 * the workers, stops the fetch (fetch_stop) and answers what is still parked, so
 * that nobody replies any more when it returns. 0 or -errno. */
int session_run(struct fs *fs);

/* Any thread and signal handlers, also before session_run(). */
void session_stop(struct fs *fs);

/* Does nothing when not mounted. */
void session_unmount(struct fs *fs);

/* Gives back every version: before index_close(). */
void session_free(struct fs *fs);

#endif
