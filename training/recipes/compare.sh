#!/bin/sh
# Train every network of the comparison with the same films, recipe and budget, one after the other, and compare them.
# What is given after the two folders goes to every training; a run that was interrupted goes on where it stopped.
#
#   sh training/recipes/compare.sh FILMS RUNS [SETTINGS]
#
# The recipe is windows of 256 pixels cut out of films at 512, drawn by patient, the rate falling to zero; the budget
# 21,600 windows each (BUDGET more or less of 3,600), which EfficientNet-B0 sees in some 40 minutes on two cores.
# Each run differs from another one in a single thing:
#   b0-random        from b0               in its start: random instead of ImageNet (EfficientNet-Lite0's weights)
#   b0-depth4        from b0               in its depth: the encoder halves the film four times instead of five
#   deeplabv3plus    from b0               in its decoder
#   resnet34-$START  from b0-random        in its encoder, if START is "random", the default. No package of Python's
#                                          index carries ResNet34's ImageNet weights; START=imagenet fetches them from
#                                          smp's hub, and the network to compare it with is then b0.
set -eu
films=$1 runs=$2
shift 2
start=${START:-random}
python=${PYTHON:-python}

run() { # name, then what the network differs in, then what all share
    name=$1
    shift
    "$python" -m training train --data "$films" --run "$runs/$name" --image_size 512 --window.size 256 \
        --epochs "${BUDGET:-6}" --steps_per_epoch 300 --batch_size 12 --micro_batch 12 --learning_rate 1e-3 \
        --weight_decay 0.05 --positive_share '[0.6,0.5]' --patient_exponent 0.5 --ema_decay 0.998 "$@"
}

run b0 --start lite0 "$@"
run "resnet34-$start" --start "$start" --model.encoder resnet34 "$@"
run deeplabv3plus --start lite0 --model.architecture deeplabv3plus --model.decoder_channels '[128]' "$@"
run b0-random --start random "$@"
run b0-depth4 --start lite0 --model.encoder_depth 4 --model.decoder_channels '[64,32,16,8]' "$@"

trained=
for name in b0 "resnet34-$start" deeplabv3plus b0-random b0-depth4; do
    trained="$trained${trained:+,}$runs/$name/best.safetensors"
done
"$python" -m training compare --trained "[$trained]" --ensemble "[b0,resnet34-$start,deeplabv3plus]" \
    --data "$films" --out "$runs/comparison"
