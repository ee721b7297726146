"""Paint the chunks of a film on many machines: the same file as on one.

    packets       the compressed frames of a chunk, and the decoder that they need
    chunks        the head reads the film and cuts it into chunks, without decoding
    job           what a worker must know of a film, without any file
    examination   which workers paint alike
    painting      what a worker does: decode, paint and encode one chunk
    workers       the seam: run a function on a worker that is connected
    roster        the workers that may paint
    attempts      what a worker was given, how fast it is, and when it is late
    failures      how often chunks and workers failed
    dispatch      which worker paints what; workers that die, hang, fail or join
    spread        the painter that a conversion uses
    pictures      the pictures of a folder
    address       addresses of schedulers, and what is safe
    dask_cluster  the workers of a Dask cluster, as the head sees them: it needs dask_setup,
                  dask_connection (what listens at an address) and dask_task (a task on its way)
    dask_serving  `live-nst worker`: a process that works for a scheduler

The modules are listed in the order in which they build on one another.
"""
