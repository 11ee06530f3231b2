#!/bin/sh
# From a folder of films to the released file. What is finished is not done again: give the same command after an
# interruption, and it goes on where it stopped.
#
#   NAME=our-hospital-1 sh training/recipes/release.sh FILMS WORK
#
# NAME is what the model will be called. FILMS holds manifest.csv, images/, masks/ and DATASET.md, which says whose films
# they are (training/README.md; that of NIH's and SIIM's films is training/recipes/nih_siim.dataset.md). WORK is made, and
# holds all that is made on the way. The stages:
#   1  prepared/   every film decoded once, at SIDE pixels
#   2  plateau/    windows of WINDOW pixels at a constant rate, from ImageNet's weights; 63 epochs are 302,400 windows
#   3  cooldown/   windows, the rate falling; the epoch that is best on val, for at the end films are learnt by heart
#   4  whole/      whole films, briefly: what makes the whole film's answer right
#   5  mean        the mean of the weights that stage 4 began with and of each of its epochs
#   6  released/   calibration and thresholds chosen on val, and the model card; val's figures only
# The test split stays shut. Once nothing will be changed any more, remove released/ and give OPEN_TEST=true, once.
#
# Each setting below may be given in the environment; SHARED, WHOLE and RELEASE hold further flags, of all trainings, of
# the one on whole films and of the release. START=FILE goes on from other weights than ImageNet's. PLATEAU=FILE skips
# stage 2 and takes its weights from there, such as an epoch that a run in the background has kept; PREPARED=FOLDER takes
# films that were prepared before.
set -eu
films=$1 work=$2
: "${NAME:?says what the model is to be called: NAME=our-hospital-1}"
python=${PYTHON:-python}
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}" GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-0}"
export MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_:-4294967296}"
export MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-17179869184}"

prepared=${PREPARED:-$work/prepared} side=${SIDE:-512}
plateau_epochs=${PLATEAU_EPOCHS:-63} cooldown_epochs=${COOLDOWN_EPOCHS:-9} whole_epochs=${WHOLE_EPOCHS:-3}
cooled=$work/cooldown/best.safetensors

kept() { # run, epoch: the weights it kept then
    printf '%s/%s/epochs/%03d.safetensors' "$work" "$1" "$2"
}
train() { # run, epochs, then its settings
    name=$1 epochs=$2
    shift 2
    [ -f "$(kept "$name" "$epochs")" ] || "$python" -m training train --data "$prepared" --run "$work/$name" \
        --epochs "$epochs" --image_size "$side" --patient_exponent 0.5 --hard_negative_share 0.25 \
        --weight_decay 0.05 --keep_epochs true "$@" ${SHARED:-}
}
on_windows() { # run, epochs, then its settings
    train "$@" --window.size "${WINDOW:-256}" --steps_per_epoch "${STEPS:-400}" --batch_size "${BATCH:-12}" \
        --micro_batch "${BATCH:-12}" --learning_rate 1e-3 --ema_decay 0.998
}

if [ ! -f "$prepared/films.csv" ]; then
    "$python" -m training prepare --source "$films" --out "$prepared" --size "$side"
fi
if [ -z "${PLATEAU:-}" ]; then
    on_windows plateau "$plateau_epochs" --start "${START:-lite0}" --model.pooling "${POOLING:-catavgmax}" \
        --positive_share '[0.6,0.6]' --warmup_share 0.003 --cooldown_share 0
    PLATEAU=$(kept plateau "$plateau_epochs")
fi
on_windows cooldown "$cooldown_epochs" --start "$PLATEAU" --positive_share '[0.6,0.4]' --warmup_share 0.01
train whole "$whole_epochs" --start "$cooled" --window.stretch 1.15 --window.shear 3 \
    --steps_per_epoch "${WHOLE_STEPS:-40}" --batch_size "${WHOLE_BATCH:-8}" --micro_batch "${WHOLE_BATCH:-8}" \
    --learning_rate 3e-4 --positive_share '[0.4,0.3]' --mining 2 --ema_decay 0.98 ${WHOLE:-}

if [ ! -f "$work/mean.safetensors" ]; then
    trained=$cooled
    for number in $(seq "$whole_epochs"); do
        trained="$trained,$(kept whole "$number")"
    done
    "$python" -m training average --trained "[$trained]" --out "$work/mean.part.safetensors"
    mv "$work/mean.part.safetensors" "$work/mean.safetensors"
fi
if [ ! -f "$work/released/metrics.json" ]; then
    "$python" -m training release --trained "$work/mean.safetensors" --data "$prepared" \
        --out "$work/released/pleura.safetensors" --name "$NAME" --open_test_split "${OPEN_TEST:-false}" \
        ${RELEASE---mirror_size $side}
fi
