#!/bin/sh
# Train on a GPU machine that has PyTorch but no network, for a limited time.
#
#   sh training/recipes/gpu.sh pack FILMS CARRY                 here, once: writes CARRY, all that has to travel
#   sh training/recipes/gpu.sh step CARRY OUT NAME [SETTINGS]   there, as often as there is time
#
# Both from the repository's root. FILMS is a prepared folder. CARRY holds films.zip (train and val), start.safetensors
# (the weights to start from, in half precision, some 10 MiB: no package with ImageNet's has to travel) and wheels/
# (packages that such a machine lacks, of the versions installed here; PACKAGES is a pattern of their names, "" none).
# LIMIT_MIB limits what travels: films.zip is no larger, 36 unless it is set. CARRY shows patients' films: delete it when
# it has served.
#
# A step trains the run NAME for MINUTES, ends its epoch, and leaves in OUT its best and its newest weights in half
# precision (some 10 MiB each), its answers to the films it was validated on, and its log. On the same machine a step
# with the same NAME and SETTINGS goes on from its full state in WORK. On another one, put the weights that were brought
# back in place of CARRY/start.safetensors: the optimiser's state, 80 MiB, stays behind.
#
# By default a run is 10 epochs of 150 steps of 192 windows, 288,000 windows; EPOCHS sets how many fit into the time.
# Half an hour, after a first minute for unpacking: fold-1 … fold-5 with MINUTES=4 and --fold 1/5 … --fold 5/5, then
# a run of all films that the five teach, --teachers '[…/fold-1/best.safetensors,…]'.
set -eu
python=${PYTHON:-python3}
side=${SIDE:-512}

pack() {
    films=$1 carry=$2
    mkdir -p "$carry/wheels"
    [ -f "$carry/films.zip" ] || "$python" -m training pack --data "$films" --out "$carry/films.zip" --size "$side" \
        --limit_mib "${LIMIT_MIB:-36}"
    [ -f "$carry/start.safetensors" ] || "$python" -m training begin --out "$carry/start.safetensors" \
        --start "${START:-lite0}" --image_size "$side" --model.pooling "${POOLING:-catavgmax}"
    packages=${PACKAGES-segmentation.models.pytorch|lightning.fabric|jsonargparse|typeshed.client|docstring.parser}
    if [ -n "$packages" ]; then
        "$python" -m pip freeze | grep -iE "^($packages)==" > "$carry/wheels/packages.txt"
        "$python" -m pip download -q --no-deps --only-binary=:all: -d "$carry/wheels" -r "$carry/wheels/packages.txt"
    fi
    du -sk "$carry" | awk '{printf "%.1f MiB to carry\n", $1 / 1024}'
}

step() {
    carry=$1 out=$2 name=$3
    shift 3
    work=${WORK:-$carry/work}
    mkdir -p "$out" "$work"
    if [ ! -d "$work/packages" ] && ls "$carry"/wheels/*.whl >/dev/null 2>&1; then
        "$python" -m pip install -q --no-index --no-deps --no-compile --target "$work/packages" "$carry"/wheels/*.whl
    fi
    export PYTHONPATH="$work/packages${PYTHONPATH:+:$PYTHONPATH}"
    "$python" -m training unpack --archive "$carry/films.zip" --out "$work/films"
    "$python" -m training train --data "$work/films" --run "$work/$name" --start "$carry/start.safetensors" \
        --minutes "${MINUTES:-8}" --keep_epochs true --image_size "$side" --window.size "${WINDOW:-256}" \
        --patient_exponent 0.5 --hard_negative_share 0.25 --positive_share '[0.6,0.5]' --weight_decay 0.05 \
        --batch_size "${BATCH:-192}" --micro_batch "${BATCH:-192}" --learning_rate "${RATE:-2e-3}" \
        --epochs "${EPOCHS:-10}" --steps_per_epoch "${STEPS:-150}" --ema_decay "${EMA:-0.99}" \
        --workers "${WORKERS:-14}" --accelerator "${ACCELERATOR:-cuda}" --precision "${PRECISION:-bf16-mixed}" "$@"
    cp "$work/$name/best.safetensors" "$out/$name-best.safetensors"
    cp "$(ls "$work/$name"/epochs/*.safetensors | tail -n 1)" "$out/$name-newest.safetensors"
    cp "$work/$name/answers.csv" "$out/$name-answers.csv"
    cat "$work/$name"/csv/version_*/metrics.csv > "$out/$name-metrics.csv"
}

case ${1:-} in
pack | step) "$@" ;;
*) echo "pack or step, not ${1:-nothing}" >&2; exit 2 ;;
esac
