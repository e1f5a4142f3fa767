/* See resample.h. */
#include "resample.h"

#include <string.h>

void rs_reset(rs_stream *stream) {
    for (int s = 0; s < stream->stages; s++) {
        stream->place[s] = stream->first[s];
        memset(stream->history[s], 0, stream->channels * stream->room[s] * sizeof(float));
    }
}

/* Outputs that a stage can make when it has so many inputs. */
static size_t ready(const rs_stage *stage, rs_place place) {
    const int64_t have = (int64_t)place.have;
    if (!stage->lanes) {
        const int64_t starts = have - stage->dots.taps + 1; /* places where a window may start */
        if (starts <= 0) return 0;
        const int64_t room = starts * stage->dots.up - place.rest;
        return room <= 0 ? 0 : (size_t)((room + stage->dots.down - 1) / stage->dots.down);
    }
    int64_t period = have - stage->end[stage->up - 1];
    period = period < 0 ? 0 : period / stage->down + 1;
    const int64_t rest = have - period * stage->down;
    int low = 0, high = stage->up; /* phases of the next period that are ready: the ends never fall */
    while (low < high) {
        const int middle = (low + high) / 2;
        if (stage->end[middle] <= rest) low = middle + 1; else high = middle;
    }
    const int64_t outputs = period * stage->up + low - place.rest;
    return outputs > 0 ? (size_t)outputs : 0;
}

/* Moves a stage on by so many outputs; how many inputs it is then done with. A window is never shorter than the step
 * to the next one, so these have all arrived. */
static size_t advance(const rs_stage *stage, rs_place *place, size_t outputs) {
    size_t done;
    if (stage->lanes) {
        const size_t phase = (size_t)place->rest + outputs;
        place->rest = (int64_t)(phase % (size_t)stage->up);
        done = phase / (size_t)stage->up * (size_t)stage->down;
    } else {
        const int64_t at = place->rest + (int64_t)outputs * stage->dots.down;
        place->rest = at % stage->dots.up;
        done = (size_t)(at / stage->dots.up);
    }
    place->have -= done;
    return done;
}

size_t rs_count(const rs_stream *stream, size_t frames) {
    for (int s = 0; s < stream->stages; s++) {
        rs_place place = stream->place[s];
        place.have += frames;
        frames = ready(stream->stage[s], place);
    }
    return frames;
}

/* A stage's inputs in one piece: its history, what comes, and room to read on to the end of a period. */
static size_t line_floats(const rs_stream *stream, int s, size_t frames) {
    const rs_stage *stage = stream->stage[s];
    return stream->room[s] + frames + (stage->lanes ? (size_t)(stage->down + stage->span) : 0);
}

static size_t rows_floats(const rs_stage *stage) {
    return stage->lanes ? stage->x_stride * (size_t)stage->x_rows + stage->y_stride * (size_t)stage->y_rows : 0;
}

/* ready() of a stage that has as much as it ever keeps, as seen from the place that asks for most */
static size_t most(const rs_stream *stream, int s, size_t frames) {
    const rs_place fullest = {0, stream->room[s] + frames};
    return ready(stream->stage[s], fullest);
}

size_t rs_most(const rs_stream *stream, size_t frames) {
    for (int s = 0; s < stream->stages; s++) frames = most(stream, s, frames);
    return frames;
}

size_t rs_work(const rs_stream *stream, size_t frames) {
    size_t floats = 0, rows = 0;
    for (int s = 0; s < stream->stages; s++) {
        const size_t need = rows_floats(stream->stage[s]);
        floats += line_floats(stream, s, frames);
        rows = need > rows ? need : rows;
        frames = most(stream, s, frames);
    }
    return floats + rows;
}

/* `count` outputs that are ready, from the inputs at `line`. */
static void run_lanes(const rs_stage *stage, const audio_kernels *kernels, const float *line, size_t phase, size_t count,
                      float *out, float *work) {
    const size_t up = (size_t)stage->up, down = (size_t)stage->down, y_stride = stage->y_stride;
    const size_t more_rows = (size_t)(stage->span - 1) / down;
    float *x = work, *y = work + stage->x_stride * (size_t)stage->x_rows;
    float *outputs = y + (size_t)(stage->y_rows - stage->up) * y_stride;
    while (count > 0) {
        size_t periods = (phase + count + up - 1) / up;
        int from = 0, to = stage->groups;
        if (periods > (size_t)stage->lanes_max) periods = (size_t)stage->lanes_max;
        if (stage->before == 0 && (periods == 1 || (periods == 2 && count < up))) { /* only the groups that are asked for */
            const size_t last = phase + count < up ? phase + count : up;
            periods = 1;
            from = (int)(phase / FIR_GROUP);
            to = (int)((last + FIR_GROUP - 1) / FIR_GROUP);
        }
        kernels->spread(line, x, periods + more_rows, down, stage->x_stride);
        kernels->sum_rows(stage->sum, stage->before, x, periods + more_rows);
        kernels->fir(&stage->fir, from, to, x, y, y_stride, periods);
        kernels->sum_rows(stage->sum + stage->before, stage->after, y, periods);

        size_t made = periods * up - phase, row = 0;
        if (made > count) made = count;
        size_t left = made;
        if (phase > 0) {
            for (; phase < up && left > 0; phase++, left--) *out++ = outputs[phase * y_stride];
            row = 1;
        }
        kernels->gather(outputs + row, out, left / up, up, y_stride);
        row += left / up;
        out += left / up * up;
        left %= up;
        for (size_t l = 0; l < left; l++) *out++ = outputs[l * y_stride + row];

        count -= made;
        line += periods * down;
        phase = 0;
    }
}

static void run(const rs_stage *stage, const audio_kernels *kernels, const float *line, rs_place place, size_t count,
                float *out, float *work) {
    if (stage->lanes) run_lanes(stage, kernels, line, (size_t)place.rest, count, out, work);
    else kernels->dots(&stage->dots, place.rest, line, out, count);
}

size_t rs_push(rs_stream *stream, const float *in, size_t in_stride, size_t frames, float *out, size_t out_stride,
               float *work) {
    rs_place after[RS_STAGES];
    float *line[RS_STAGES + 1];
    size_t incoming[RS_STAGES + 1], done[RS_STAGES];
    incoming[0] = frames;
    for (int s = 0; s < stream->stages; s++) {
        const rs_stage *stage = stream->stage[s];
        line[s] = work;
        work += line_floats(stream, s, incoming[s]);
        after[s] = stream->place[s];
        after[s].have += incoming[s];
        incoming[s + 1] = ready(stage, after[s]);
        done[s] = advance(stage, &after[s], incoming[s + 1]);
    }
    for (size_t c = 0; c < stream->channels; c++) {
        const float *samples = in + c * in_stride;
        if (stream->stages == 0) memcpy(out + c * out_stride, samples, frames * sizeof(float));
        else memcpy(line[0] + stream->place[0].have, samples, frames * sizeof(float));
        for (int s = 0; s < stream->stages; s++) {
            const rs_stage *stage = stream->stage[s];
            const rs_place place = stream->place[s];
            float *history = stream->history[s] + c * stream->room[s];
            float *next = s + 1 < stream->stages ? line[s + 1] + stream->place[s + 1].have : out + c * out_stride;
            memcpy(line[s], history, place.have * sizeof(float));
            run(stage, stream->kernels, line[s], place, incoming[s + 1], next, work);
            memcpy(history, line[s] + done[s], after[s].have * sizeof(float));
        }
    }
    for (int s = 0; s < stream->stages; s++) stream->place[s] = after[s];
    return incoming[stream->stages];
}
