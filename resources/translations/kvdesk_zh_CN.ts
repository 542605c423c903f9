<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>BatchView</name>
    <message>
        <source>Four cousins</source>
        <translation>四个近亲</translation>
    </message>
    <message>
        <source>Pick a picture</source>
        <translation>挑选图片</translation>
    </message>
    <message>
        <source>Motion map</source>
        <translation>运动图谱</translation>
    </message>
    <message>
        <source>noise {noise}</source>
        <translation>噪声 {noise}</translation>
    </message>
    <message>
        <source>not made yet</source>
        <translation>尚未生成</translation>
    </message>
    <message>
        <source>The same clip with more motion from row to row, and more noise augmentation from column to column. Choose one to take its values.</source>
        <translation>同一个短片：运动幅度逐行增大，噪声增强逐列增大。选一个即可采用它的数值。</translation>
    </message>
    <message>
        <source>low motion</source>
        <translation>运动幅度低</translation>
    </message>
    <message>
        <source>medium motion</source>
        <translation>运动幅度中</translation>
    </message>
    <message>
        <source>high motion</source>
        <translation>运动幅度高</translation>
    </message>
    <message>
        <source>extreme motion</source>
        <translation>运动幅度极高</translation>
    </message>
    <message>
        <source>{motion}, noise augmentation {noise}</source>
        <translation>{motion}，噪声增强 {noise}</translation>
    </message>
    <message>
        <source>seed {seed}</source>
        <translation>种子 {seed}</translation>
    </message>
    <message>
        <source>The same clip from four seeds. Choose one to look at it.</source>
        <translation>同样的设置，四个不同的种子。选一个来看看。</translation>
    </message>
    <message>
        <source>Four pictures for the same prompt. The one that you choose becomes a clip.</source>
        <translation>同一提示词的四张图片。选中的那一张会做成短片。</translation>
    </message>
</context>
<context>
    <name>BinBar</name>
    <message numerus="yes">
        <source>Delete %n clip(s) for good? This cannot be undone.</source>
        <translation>
            <numerusform>要永久删除 %n 个短片吗？此操作无法撤销。</numerusform>
        </translation>
    </message>
    <message>
        <source>Delete for good</source>
        <translation>永久删除</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>This is the bin. A clip in it can be put back.</source>
        <translation>这里是回收站，其中的短片可以放回。</translation>
    </message>
    <message>
        <source>Back to the library</source>
        <translation>返回素材库</translation>
    </message>
    <message>
        <source>Empty the bin</source>
        <translation>清空回收站</translation>
    </message>
    <message>
        <source>Empty the bin ({size})</source>
        <translation>清空回收站（{size}）</translation>
    </message>
</context>
<context>
    <name>ClipActions</name>
    <message>
        <source>Choose the other clip in the library.</source>
        <translation>请在素材库中选择另一个短片。</translation>
    </message>
    <message>
        <source>Save the frame</source>
        <translation>保存这一帧</translation>
    </message>
    <message>
        <source>PNG picture (*.png)</source>
        <translation>PNG 图片 (*.png)</translation>
    </message>
    <message>
        <source>There is no finished clip to export. Choose one in the library.</source>
        <translation>没有可导出的短片。请在素材库中选一个已完成的。</translation>
    </message>
    <message>
        <source>Export the clip</source>
        <translation>导出短片</translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation>已保存为 {name}。</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>在文件夹中显示</translation>
    </message>
    <message>
        <source>Keep clips in</source>
        <translation>短片保存到</translation>
    </message>
    <message>
        <source>Use its settings</source>
        <translation>采用它的设置</translation>
    </message>
    <message>
        <source>Continue from its last frame</source>
        <translation>从最后一帧继续</translation>
    </message>
    <message>
        <source>Start from its first frame</source>
        <translation>从第一帧开始</translation>
    </message>
    <message>
        <source>Compare with the clip that is shown</source>
        <translation>与当前显示的短片对比</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>显示</translation>
    </message>
</context>
<context>
    <name>ClipDetails</name>
    <message>
        <source>Made</source>
        <translation>生成时间</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>尺寸</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>帧数</translation>
    </message>
    <message>
        <source>key frame only</source>
        <translation>仅关键帧</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Weights</source>
        <translation>权重</translation>
    </message>
    <message>
        <source>8 bit where exact ones did not fit</source>
        <translation>精确权重放不下时用 8 位</translation>
    </message>
    <message>
        <source>Took</source>
        <translation>用时</translation>
    </message>
    <message>
        <source>A newer kvdesk made this clip. Update kvdesk to go on with it.</source>
        <translation>这个短片由更新版本的 kvdesk 生成。更新 kvdesk 后才能继续处理。</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>注意</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} 秒</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes} 分 {seconds} 秒</translation>
    </message>
    <message>
        <source>Not the same as the form</source>
        <translation>与当前设置不同</translation>
    </message>
    <message>
        <source>Same as the form</source>
        <translation>与当前设置相同</translation>
    </message>
    <message>
        <source>Form: {value}</source>
        <translation>当前：{value}</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>采用</translation>
    </message>
    <message>
        <source>Use {field}: {value}</source>
        <translation>采用{field}：{value}</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>详情</translation>
    </message>
    <message>
        <source>Close the details</source>
        <translation>关闭详情</translation>
    </message>
    <message>
        <source>Use all</source>
        <translation>全部采用</translation>
    </message>
</context>
<context>
    <name>ClipMenu</name>
    <message>
        <source>Show</source>
        <translation>显示</translation>
    </message>
    <message>
        <source>Use its settings</source>
        <translation>采用它的设置</translation>
    </message>
    <message>
        <source>Continue from its last frame</source>
        <translation>从最后一帧继续</translation>
    </message>
    <message>
        <source>Smooth to 8 frames a second</source>
        <translation>补帧到每秒 8 帧</translation>
    </message>
    <message>
        <source>Smooth to 32 frames a second</source>
        <translation>补帧到每秒 32 帧</translation>
    </message>
    <message>
        <source>Animate</source>
        <translation>做成短片</translation>
    </message>
    <message>
        <source>Compare with the one that is shown</source>
        <translation>与当前显示的短片对比</translation>
    </message>
    <message>
        <source>Compare the two</source>
        <translation>对比这两个</translation>
    </message>
    <message>
        <source>Export …</source>
        <translation>导出…</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>在文件夹中显示</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>加星标</translation>
    </message>
    <message>
        <source>Take the star away</source>
        <translation>取消星标</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Put back</source>
        <translation>放回</translation>
    </message>
</context>
<context>
    <name>CompareCanvas</name>
    <message>
        <source>Comparison of two clips</source>
        <translation>两个短片的对比</translation>
    </message>
    <message>
        <source>Wipe at {percent} %. The arrow keys move it.</source>
        <translation>滑动对比，分界线在 {percent}% 处。可用方向键移动。</translation>
    </message>
    <message>
        <source>{label} is shown. B shows the other one.</source>
        <translation>正在显示“{label}”。按 B 键切换到另一个。</translation>
    </message>
    <message>
        <source>Side by side. B shows one in the place of the other.</source>
        <translation>并排显示。按 B 键在原位交替显示。</translation>
    </message>
    <message>
        <source>This frame cannot be read: its file is damaged or gone.</source>
        <translation>无法读取这一帧：文件已损坏或不存在。</translation>
    </message>
</context>
<context>
    <name>CompareView</name>
    <message>
        <source>Compare two clips</source>
        <translation>对比两个短片</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
    <message>
        <source>How the clips are shown</source>
        <translation>短片的显示方式</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>并排</translation>
    </message>
    <message>
        <source>Wipe</source>
        <translation>滑动</translation>
    </message>
    <message>
        <source>Blink</source>
        <translation>交替</translation>
    </message>
    <message>
        <source>One in the place of the other (B)</source>
        <translation>在原位交替显示两个短片 (B)</translation>
    </message>
    <message>
        <source>Swap the sides</source>
        <translation>左右互换</translation>
    </message>
    <message>
        <source>Vote blind</source>
        <translation>盲选</translation>
    </message>
    <message>
        <source>Hides the names and shuffles the clips.</source>
        <translation>隐藏名称并打乱顺序。</translation>
    </message>
    <message>
        <source>Which one is better? You will see then which was which.</source>
        <translation>哪一个更好？选完后揭晓。</translation>
    </message>
    <message>
        <source>The first</source>
        <translation>第一个</translation>
    </message>
    <message>
        <source>The second</source>
        <translation>第二个</translation>
    </message>
    <message>
        <source>No difference</source>
        <translation>没有差别</translation>
    </message>
    <message>
        <source>Both clips were made with the same settings.</source>
        <translation>两个短片的设置完全相同。</translation>
    </message>
    <message>
        <source>First</source>
        <translation>第一个</translation>
    </message>
    <message>
        <source>Second</source>
        <translation>第二个</translation>
    </message>
    <message>
        <source>B</source>
        <translation>B</translation>
    </message>
    <message>
        <source>A</source>
        <translation>A</translation>
    </message>
    <message>
        <source>{letter}: {title}</source>
        <translation>{letter}：{title}</translation>
    </message>
    <message numerus="yes">
        <source>{letter}: %n frame(s) at {rate} a second</source>
        <translation>
            <numerusform>{letter}：%n 帧，每秒 {rate} 帧</numerusform>
        </translation>
    </message>
    <message>
        <source>Locked to the same frame.</source>
        <translation>同步显示同一帧。</translation>
    </message>
    <message>
        <source>Locked by time: each shows the frame nearest to the same moment.</source>
        <translation>按时间同步：两边各显示最接近同一时刻的帧。</translation>
    </message>
    <message>
        <source>The first was {first}, the second was {second}.</source>
        <translation>第一个是“{first}”，第二个是“{second}”。</translation>
    </message>
    <message>
        <source>You saw no difference. {which}</source>
        <translation>看不出差别。{which}</translation>
    </message>
    <message>
        <source>You chose {winner}. {which}</source>
        <translation>选择了“{winner}”。{which}</translation>
    </message>
</context>
<context>
    <name>ComposePanel</name>
    <message>
        <source>How much time to take</source>
        <translation>投入多少时间</translation>
    </message>
    <message>
        <source>Few frames and few steps, to try things out</source>
        <translation>帧数和步数都少，适合尝试</translation>
    </message>
    <message>
        <source>What the model is usually used with</source>
        <translation>模型的常用设置</translation>
    </message>
    <message>
        <source>Four times as many frames; takes longest</source>
        <translation>帧数是标准的四倍，耗时最长</translation>
    </message>
    <message>
        <source>2 fps draft</source>
        <translation>2 帧/秒草稿</translation>
    </message>
    <message>
        <source>8 fps</source>
        <translation>8 帧/秒</translation>
    </message>
    <message>
        <source>32 fps</source>
        <translation>32 帧/秒</translation>
    </message>
    <message>
        <source>Start from a picture</source>
        <translation>从图片开始</translation>
    </message>
    <message>
        <source>optional</source>
        <translation>可选</translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s), {seconds} s</source>
        <translation>
            <numerusform>%n 帧，{seconds} 秒</numerusform>
        </translation>
    </message>
    <message>
        <source>Part of the picture</source>
        <translation>裁剪图片</translation>
    </message>
    <message>
        <source>Remove the picture</source>
        <translation>移除图片</translation>
    </message>
    <message>
        <source>Keep the seed</source>
        <translation>锁定种子</translation>
    </message>
    <message>
        <source>Let the seed change</source>
        <translation>解锁种子</translation>
    </message>
    <message>
        <source>Choose a picture</source>
        <translation>选择图片</translation>
    </message>
    <message>
        <source>Pictures ({endings})</source>
        <translation>图片 ({endings})</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
</context>
<context>
    <name>CropFrame</name>
    <message>
        <source>Part of the picture</source>
        <translation>裁剪图片</translation>
    </message>
    <message>
        <source>Drag the frame or its corners. Arrow keys move it, plus and minus size it; with Shift, further. A double click takes the middle.</source>
        <translation>拖动方框或它的四角。方向键移动，加号和减号缩放，同时按住 Shift 幅度更大。双击取正中部分。</translation>
    </message>
</context>
<context>
    <name>DifferencesTable</name>
    <message>
        <source>Setting</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>A</source>
        <translation>A</translation>
    </message>
    <message>
        <source>B</source>
        <translation>B</translation>
    </message>
    <message>
        <source>Settings that differ</source>
        <translation>不同的设置</translation>
    </message>
</context>
<context>
    <name>DownloadFields</name>
    <message>
        <source>No limit</source>
        <translation>不限速</translation>
    </message>
    <message>
        <source>Fetch no faster than</source>
        <translation>下载速度上限</translation>
    </message>
    <message>
        <source>Leaves some of the connection to others.</source>
        <translation>为其他程序留出一部分带宽。</translation>
    </message>
    <message>
        <source>Fetch from another server</source>
        <translation>从其他服务器下载</translation>
    </message>
    <message>
        <source>The address of a mirror of Hugging Face; empty for Hugging Face itself.</source>
        <translation>镜像服务器的地址；留空则使用 huggingface.co。</translation>
    </message>
</context>
<context>
    <name>Duration</name>
    <message>
        <source>less than a second</source>
        <translation>不到 1 秒</translation>
    </message>
    <message>
        <source>about {seconds} s</source>
        <translation>约 {seconds} 秒</translation>
    </message>
    <message>
        <source>about {minutes} min</source>
        <translation>约 {minutes} 分钟</translation>
    </message>
    <message>
        <source>about {minutes} min {seconds} s</source>
        <translation>约 {minutes} 分 {seconds} 秒</translation>
    </message>
    <message>
        <source>about {hours} h</source>
        <translation>约 {hours} 小时</translation>
    </message>
    <message>
        <source>about {hours} h {minutes} min</source>
        <translation>约 {hours} 小时 {minutes} 分钟</translation>
    </message>
</context>
<context>
    <name>EmptyStage</name>
    <message>
        <source>Type what you want to see, or drop a picture here.</source>
        <translation>用英文写下想看到的画面，或把图片拖到这里。</translation>
    </message>
    <message>
        <source>Or begin with one of these:</source>
        <translation>也可以从这些示例开始：</translation>
    </message>
    <message>
        <source>Get the model that draws anything …</source>
        <translation>获取什么都能画的模型…</translation>
    </message>
</context>
<context>
    <name>EngineClient</name>
    <message>
        <source>This is too long for the engine. Use a shorter text.</source>
        <translation>文字太长，引擎无法处理。请缩短文字。</translation>
    </message>
</context>
<context>
    <name>Errors</name>
    <message>
        <source>A setting does not fit the model.</source>
        <translation>有一项设置与模型不符。</translation>
    </message>
    <message>
        <source>The picture cannot be used.</source>
        <translation>这张图片无法使用。</translation>
    </message>
    <message>
        <source>The model is not there.</source>
        <translation>找不到模型。</translation>
    </message>
    <message>
        <source>A file of the model is damaged.</source>
        <translation>模型的某个文件已损坏。</translation>
    </message>
    <message>
        <source>The model is of a newer kvdesk.</source>
        <translation>模型来自更新版本的 kvdesk。</translation>
    </message>
    <message>
        <source>This model cannot be used.</source>
        <translation>这个模型无法使用。</translation>
    </message>
    <message>
        <source>The device does not work.</source>
        <translation>设备无法工作。</translation>
    </message>
    <message>
        <source>The device or the model computes wrong numbers.</source>
        <translation>设备或模型计算出了错误的数值。</translation>
    </message>
    <message>
        <source>There is too little memory.</source>
        <translation>内存不足。</translation>
    </message>
    <message>
        <source>There is too little memory for the exact weights.</source>
        <translation>内存不足以容纳精确权重。</translation>
    </message>
    <message>
        <source>The video file cannot be used.</source>
        <translation>这个视频文件无法使用。</translation>
    </message>
    <message>
        <source>There is a file of that name already.</source>
        <translation>已有同名文件。</translation>
    </message>
    <message>
        <source>The clip&apos;s folder cannot be used.</source>
        <translation>短片的文件夹无法使用。</translation>
    </message>
    <message>
        <source>The disk is full.</source>
        <translation>磁盘已满。</translation>
    </message>
    <message>
        <source>The download did not succeed.</source>
        <translation>下载没有成功。</translation>
    </message>
    <message>
        <source>The engine does not answer.</source>
        <translation>引擎没有响应。</translation>
    </message>
    <message>
        <source>Something went wrong in the worker.</source>
        <translation>后台进程出错。</translation>
    </message>
</context>
<context>
    <name>ExportSheet</name>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>The file will have about {size}.</source>
        <translation>文件大小约为 {size}。</translation>
    </message>
    <message>
        <source>Fits: the file will have {size}.</source>
        <translation>符合上限：文件大小为 {size}。</translation>
    </message>
    <message>
        <source>For that its pictures become {width} pixels wide.</source>
        <translation>为此，画面宽度改为 {width} 像素。</translation>
    </message>
    <message>
        <source>Exporting …</source>
        <translation>正在导出…</translation>
    </message>
    <message>
        <source>Working out the file&apos;s size …</source>
        <translation>正在计算文件大小…</translation>
    </message>
    <message>
        <source>An MP4 cannot say so itself: the player has to be told to loop.</source>
        <translation>MP4 文件本身无法指定循环，需要在播放器中设置。</translation>
    </message>
    <message>
        <source>Looking for the best quality that fits …</source>
        <translation>正在寻找符合上限的最佳画质…</translation>
    </message>
    <message>
        <source>Save as {kind} …</source>
        <translation>保存为 {kind}…</translation>
    </message>
    <message>
        <source>PNG pictures</source>
        <translation>PNG 图片</translation>
    </message>
    <message>
        <source>Once</source>
        <translation>一次</translation>
    </message>
    <message>
        <source>Loop</source>
        <translation>循环</translation>
    </message>
    <message>
        <source>Boomerang</source>
        <translation>往返</translation>
    </message>
    <message>
        <source>Small</source>
        <translation>较小</translation>
    </message>
    <message>
        <source>Good</source>
        <translation>良好</translation>
    </message>
    <message>
        <source>Best</source>
        <translation>最佳</translation>
    </message>
    <message>
        <source>Save as</source>
        <translation>格式</translation>
    </message>
    <message>
        <source>MP4 plays everywhere; GIF and WebP in web pages.</source>
        <translation>MP4 到处都能播放；GIF 和 WebP 适合网页。</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>尺寸</translation>
    </message>
    <message>
        <source>Width and height of the pictures.</source>
        <translation>画面的宽度和高度。</translation>
    </message>
    <message>
        <source>Plays</source>
        <translation>播放方式</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速度</translation>
    </message>
    <message>
        <source>At 2 × the clip takes half as long.</source>
        <translation>2 倍速时，短片时长减半。</translation>
    </message>
    <message>
        <source>Quality</source>
        <translation>画质</translation>
    </message>
    <message>
        <source>Better pictures make a larger file.</source>
        <translation>画质越好，文件越大。</translation>
    </message>
    <message>
        <source>Fit under</source>
        <translation>大小上限</translation>
    </message>
    <message>
        <source>Finds the best quality whose file is not larger than this.</source>
        <translation>在不超过此大小的前提下寻找最佳画质。</translation>
    </message>
    <message>
        <source>Largest size of the file</source>
        <translation>文件大小上限</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>适应上限</translation>
    </message>
</context>
<context>
    <name>Exporter</name>
    <message>
        <source>The clip is saved as soon as the model is prepared and tested.</source>
        <translation>模型准备并测试完毕后，就会保存这个短片。</translation>
    </message>
    <message>
        <source>The clip is saved as soon as the one that is being made is done.</source>
        <translation>正在生成的短片完成后，就会保存这个短片。</translation>
    </message>
    <message>
        <source>{name} could not be saved. Is there room, and may you write there?</source>
        <translation>无法保存 {name}。请检查磁盘空间和写入权限。</translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation>已保存为 {name}。</translation>
    </message>
    <message>
        <source>The clip is not in the library any more.</source>
        <translation>这个短片已不在素材库中。</translation>
    </message>
</context>
<context>
    <name>Files</name>
    <message>
        <source>{name} is not there any more.</source>
        <translation>{name} 已不存在。</translation>
    </message>
    <message>
        <source>{name} is a folder. Choose a file in it.</source>
        <translation>{name} 是文件夹。请选择其中的文件。</translation>
    </message>
    <message>
        <source>{name} is a device or a pipe. Choose a file.</source>
        <translation>{name} 是设备或管道。请选择文件。</translation>
    </message>
    <message>
        <source>{name} cannot be read. Do you have the right to open it?</source>
        <translation>无法读取 {name}。请检查是否有权限打开它。</translation>
    </message>
    <message>
        <source>{name} is larger than 1 MiB. Choose a text file with a prompt in each line.</source>
        <translation>{name} 超过 1 MiB。请选择每行一条提示词的文本文件。</translation>
    </message>
    <message>
        <source>{name} is not a text in UTF-8. Save it in this encoding, or choose another file.</source>
        <translation>{name} 不是 UTF-8 编码的文本。请改用此编码保存，或选择其他文件。</translation>
    </message>
    <message>
        <source>{name} has no words in it.</source>
        <translation>{name} 中没有文字。</translation>
    </message>
    <message>
        <source>{name} has more than {limit} prompts. Divide it into several files.</source>
        <translation>{name} 中的提示词超过 {limit} 条。请分成几个文件。</translation>
    </message>
</context>
<context>
    <name>FilesTable</name>
    <message>
        <source>Ask again</source>
        <translation>再问一次</translation>
    </message>
    <message>
        <source>About 40 GB are fetched, and about 30 GB stay. Nobody said more exactly.</source>
        <translation>大约要下载 40 GB，最后保留约 30 GB。暂时无法得知更准确的数字。</translation>
    </message>
    <message>
        <source>Asking the server what there is to fetch …</source>
        <translation>正在向服务器询问需要下载什么…</translation>
    </message>
    <message>
        <source>To fetch: {missing} of {total}.</source>
        <translation>还要下载：{missing}，共 {total}。</translation>
    </message>
    <message>
        <source>found on this computer</source>
        <translation>已在本机找到</translation>
    </message>
    <message>
        <source>is here</source>
        <translation>已就绪</translation>
    </message>
    <message>
        <source>{percent} % is here</source>
        <translation>已有 {percent}%</translation>
    </message>
</context>
<context>
    <name>FirstStart</name>
    <message>
        <source>Welcome to kvdesk</source>
        <translation>欢迎使用 kvdesk</translation>
    </message>
    <message>
        <source>Neither now</source>
        <translation>暂时都不要</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Step {number} of {count}</source>
        <translation>第 {number} 步，共 {count} 步</translation>
    </message>
    <message>
        <source>Skip all</source>
        <translation>全部跳过</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
</context>
<context>
    <name>FirstStartActions</name>
    <message>
        <source>Take an example</source>
        <translation>采用示例</translation>
    </message>
</context>
<context>
    <name>FoldersCard</name>
    <message>
        <source>Where shall things be kept?</source>
        <translation>文件保存在哪里？</translation>
    </message>
    <message>
        <source>{free} GB free</source>
        <translation>可用 {free} GB</translation>
    </message>
    <message>
        <source>Too little for the real model, which takes up to 50 GB while it is got. Another drive will do; the demo model needs nothing here.</source>
        <translation>空间不足以容纳真正的模型：获取过程中最多需要 50 GB。可以选择另一个磁盘；演示模型在这里不占空间。</translation>
    </message>
    <message>
        <source>The real model takes about 30 GB here, and up to 50 GB while it is got. The demo model needs nothing here.</source>
        <translation>真正的模型在这里大约占用 30 GB，获取过程中最多占用 50 GB。演示模型在这里不占空间。</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Clips</source>
        <translation>短片</translation>
    </message>
    <message>
        <source>A clip of the demo model takes less than a megabyte, one of the real model up to 170 MB.</source>
        <translation>演示模型的短片不到 1 MB，真正模型的短片最多 170 MB。</translation>
    </message>
    <message>
        <source>Choose another folder for clips</source>
        <translation>为短片选择其他文件夹</translation>
    </message>
    <message>
        <source>Choose another folder for models</source>
        <translation>为模型选择其他文件夹</translation>
    </message>
    <message>
        <source>Choose another folder …</source>
        <translation>选择其他文件夹…</translation>
    </message>
</context>
<context>
    <name>Form</name>
    <message>
        <source>Settings of a clip</source>
        <translation>短片的设置</translation>
    </message>
    <message>
        <source>New seed</source>
        <translation>新种子</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation>负面提示词</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>尺寸</translation>
    </message>
    <message>
        <source>Smoothness</source>
        <translation>流畅度</translation>
    </message>
    <message>
        <source>Motion</source>
        <translation>运动幅度</translation>
    </message>
    <message>
        <source>Noise augmentation</source>
        <translation>噪声增强</translation>
    </message>
    <message>
        <source>Key frame guidance</source>
        <translation>关键帧引导强度</translation>
    </message>
    <message>
        <source>Prompt guidance</source>
        <translation>提示词引导强度</translation>
    </message>
    <message>
        <source>Image guidance</source>
        <translation>图片引导强度</translation>
    </message>
    <message>
        <source>In-between guidance</source>
        <translation>补帧引导强度</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>去噪步数</translation>
    </message>
    <message>
        <source>In-between steps</source>
        <translation>补帧步数</translation>
    </message>
    <message>
        <source>Sampler</source>
        <translation>采样器</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>What the clip shows.</source>
        <translation>短片的内容，请用英文描述。</translation>
    </message>
    <message>
        <source>What the clip keeps away from.</source>
        <translation>短片要避开的内容，请用英文描述。</translation>
    </message>
    <message>
        <source>The clip begins with it. Without one, it is drawn from the prompt.</source>
        <translation>短片以它开头。不选图片时，根据提示词绘制。</translation>
    </message>
    <message>
        <source>Width and height of the clip, in pixels.</source>
        <translation>短片的宽度和高度，以像素为单位。</translation>
    </message>
    <message>
        <source>How smoothly the clip runs. It lasts about as long in any case.</source>
        <translation>短片有多流畅。时长都差不多。</translation>
    </message>
    <message>
        <source>How much moves in the clip.</source>
        <translation>画面动得多还是少。</translation>
    </message>
    <message>
        <source>How freely the clip departs from its first picture.</source>
        <translation>短片可以偏离起始画面的程度。</translation>
    </message>
    <message>
        <source>How closely the first picture keeps to the prompt.</source>
        <translation>起始画面贴合提示词的程度。</translation>
    </message>
    <message>
        <source>How closely the clip keeps to the prompt.</source>
        <translation>短片贴合提示词的程度。</translation>
    </message>
    <message>
        <source>How closely the clip keeps to its first picture.</source>
        <translation>短片贴合起始画面的程度。</translation>
    </message>
    <message>
        <source>How closely the frames in between keep to the prompt.</source>
        <translation>补出的帧贴合提示词的程度。</translation>
    </message>
    <message>
        <source>Where chance begins. The same seed and settings give the same clip.</source>
        <translation>随机的起点。种子和设置相同，短片就相同。</translation>
    </message>
    <message>
        <source>How often the picture is refined. More steps take longer.</source>
        <translation>画面精修的次数。步数越多，耗时越长。</translation>
    </message>
    <message>
        <source>How often the frames in between are refined.</source>
        <translation>补出的帧精修的次数。</translation>
    </message>
    <message>
        <source>The way of refining. DPM-Solver++ and UniPC need fewer steps.</source>
        <translation>精修的方法。DPM-Solver++ 和 UniPC 需要的步数较少。</translation>
    </message>
    <message>
        <source>What draws the clip.</source>
        <translation>用来绘制短片的模型。</translation>
    </message>
    <message>
        <source>{width} × {height}</source>
        <translation>{width} × {height}</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>{number} frames a second (draft)</source>
        <translation>每秒 {number} 帧（草稿）</translation>
    </message>
    <message>
        <source>{number} frames a second</source>
        <translation>每秒 {number} 帧</translation>
    </message>
    <message>
        <source>low</source>
        <translation>低</translation>
    </message>
    <message>
        <source>medium</source>
        <translation>中</translation>
    </message>
    <message>
        <source>high</source>
        <translation>高</translation>
    </message>
    <message>
        <source>extreme</source>
        <translation>极高</translation>
    </message>
    <message>
        <source>{name}, {width} × {height} of it</source>
        <translation>{name}，截取 {width} × {height}</translation>
    </message>
    <message>
        <source>Quick look</source>
        <translation>速览</translation>
    </message>
    <message>
        <source>Standard</source>
        <translation>标准</translation>
    </message>
    <message>
        <source>Smooth</source>
        <translation>流畅</translation>
    </message>
    <message>
        <source>There is no model yet. It takes a moment after the start.</source>
        <translation>模型还没有就绪。启动后需要稍等片刻。</translation>
    </message>
    <message>
        <source>Say what the clip shows, or add a picture.</source>
        <translation>请描述短片的内容，或添加图片。</translation>
    </message>
    <message>
        <source>Width and height must be multiples of {step} pixels.</source>
        <translation>宽度和高度必须是 {step} 像素的倍数。</translation>
    </message>
    <message>
        <source>The picture is smaller than the clip, so it is enlarged.</source>
        <translation>图片比短片小，会被放大。</translation>
    </message>
    <message>
        <source>This model was trained on {width} × {height} pixels only.</source>
        <translation>这个模型只用 {width} × {height} 像素训练过。</translation>
    </message>
    <message>
        <source>Larger than what the model was trained on: things may repeat.</source>
        <translation>大于模型训练时的尺寸：内容可能重复出现。</translation>
    </message>
    <message>
        <source>Smaller than what the model was trained on: things may fall apart.</source>
        <translation>小于模型训练时的尺寸：画面可能支离破碎。</translation>
    </message>
    <message>
        <source>More oblong than what the model was trained on: things may repeat.</source>
        <translation>比模型训练时的画面更狭长：内容可能重复出现。</translation>
    </message>
    <message>
        <source>Above {limit} the clip leaves its first picture behind.</source>
        <translation>超过 {limit} 时，短片会脱离起始画面。</translation>
    </message>
    <message>
        <source>Below {limit} it pushes the other way.</source>
        <translation>低于 {limit} 时，作用会相反。</translation>
    </message>
    <message>
        <source>More than twice the usual {usual}: colours may become harsh.</source>
        <translation>超过常用值 {usual} 的两倍：颜色可能刺眼。</translation>
    </message>
    <message>
        <source>With fewer than {limit} steps the clip looks rough.</source>
        <translation>少于 {limit} 步时，短片会显得粗糙。</translation>
    </message>
    <message>
        <source>More than {limit} steps take longer and look no better.</source>
        <translation>超过 {limit} 步时，耗时更长，效果却不会更好。</translation>
    </message>
</context>
<context>
    <name>FormQuestions</name>
    <message>
        <source>There is no model that could make a clip. Install kvdesk again, or prepare a model in the settings.</source>
        <translation>没有可以生成短片的模型。请重新安装 kvdesk，或在设置中准备模型。</translation>
    </message>
    <message>
        <source>The model {wanted} is not there any more. {used} is used.</source>
        <translation>模型 {wanted} 已不存在，改用 {used}。</translation>
    </message>
</context>
<context>
    <name>FullScreen</name>
    <message>
        <source>Full screen</source>
        <translation>全屏</translation>
    </message>
</context>
<context>
    <name>GenerateBar</name>
    <message>
        <source>Save changes</source>
        <translation>保存更改</translation>
    </message>
    <message>
        <source>Add to the queue</source>
        <translation>加入队列</translation>
    </message>
    <message>
        <source>Generate</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>Cancel editing</source>
        <translation>取消编辑</translation>
    </message>
    <message>
        <source>Make several at once</source>
        <translation>一次生成多个</translation>
    </message>
    <message>
        <source>Four cousins</source>
        <translation>四个近亲</translation>
    </message>
    <message>
        <source>The same settings with four seeds.</source>
        <translation>设置相同，种子不同的四个短片。</translation>
    </message>
    <message>
        <source>Four pictures to pick from</source>
        <translation>四张图片任选</translation>
    </message>
    <message>
        <source>Only the first pictures; the one you click becomes a clip.</source>
        <translation>只生成起始画面，点中的那一张会做成短片。</translation>
    </message>
    <message>
        <source>Motion map</source>
        <translation>运动图谱</translation>
    </message>
    <message>
        <source>Small drafts of every motion, beside one another.</source>
        <translation>并排比较各种运动幅度的小草稿。</translation>
    </message>
    <message>
        <source>Planning…</source>
        <translation>正在规划…</translation>
    </message>
    <message>
        <source>It is not known whether this fits.</source>
        <translation>尚不清楚内存是否足够。</translation>
    </message>
    <message>
        <source>Fits:</source>
        <translation>够用：</translation>
    </message>
    <message>
        <source>{needed} of {free} GB free</source>
        <translation>需要 {needed} GB，空闲 {free} GB</translation>
    </message>
    <message>
        <source>May not fit:</source>
        <translation>可能不够：</translation>
    </message>
    <message>
        <source>needs {needed}, {free} GB free</source>
        <translation>需要 {needed} GB，空闲 {free} GB</translation>
    </message>
    <message>
        <source>make it smaller or close other programs</source>
        <translation>请缩小尺寸或关闭其他程序</translation>
    </message>
    <message>
        <source>{duration}, planned</source>
        <translation>{duration}（预计）</translation>
    </message>
    <message>
        <source>time is known after the first clip</source>
        <translation>生成第一个短片后可估算用时</translation>
    </message>
</context>
<context>
    <name>Getting</name>
    <message>
        <source>The model could not be fetched. {reason}</source>
        <translation>模型未能下载。{reason}</translation>
    </message>
    <message>
        <source>The model could not be prepared. {reason}</source>
        <translation>模型未能准备好。{reason}</translation>
    </message>
    <message>
        <source>The test clip was not made. {reason}</source>
        <translation>测试短片没有生成。{reason}</translation>
    </message>
    <message>
        <source>The queue is held.</source>
        <translation>队列已暂停。</translation>
    </message>
    <message>
        <source>Kandinsky 1.1 is ready: it was tested, and the form uses it now.</source>
        <translation>Kandinsky 1.1 已就绪：测试通过，表单现在使用它。</translation>
    </message>
    <message>
        <source>The clip is in the queue. It waits for its model, which is not on this computer yet, and starts by itself when it is.</source>
        <translation>短片已加入队列。它的模型还不在这台电脑上；模型就绪后，它会自动开始。</translation>
    </message>
    <message>
        <source>A model is being made in {folder}. Wait until it is ready, or remove what was fetched, before you choose another folder.</source>
        <translation>正在 {folder} 中制作模型。请等它就绪，或先删除已下载的内容，再选择其他文件夹。</translation>
    </message>
    <message>
        <source>{folder} could not be made the folder of models, since that cannot be saved.</source>
        <translation>无法把 {folder} 设为模型文件夹，因为这项设置无法保存。</translation>
    </message>
    <message>
        <source>Not everything in {folder} could be removed. Close programs that use it, and try again.</source>
        <translation>{folder} 中的内容未能全部删除。请关闭正在使用它的程序，然后重试。</translation>
    </message>
    <message>
        <source>There is a graphics card in this computer, {card}, but the PyTorch that is installed can use the processor only, on which clips take many times as long. To use the card, type “{command}” in a terminal, and start kvdesk again.</source>
        <translation>这台电脑装有显卡 {card}，但已安装的 PyTorch 只能使用处理器，生成短片的时间会长许多倍。要使用显卡，请在终端中输入“{command}”，然后重新启动 kvdesk。</translation>
    </message>
    <message>
        <source>Get the model …</source>
        <translation>获取模型…</translation>
    </message>
    <message>
        <source>Understanding the prompt</source>
        <translation>理解提示词</translation>
    </message>
    <message>
        <source>Key frames and motion</source>
        <translation>关键帧与运动</translation>
    </message>
    <message>
        <source>Frames in between</source>
        <translation>中间帧</translation>
    </message>
    <message>
        <source>Drawing the pictures</source>
        <translation>绘制画面</translation>
    </message>
    <message>
        <source>Small files</source>
        <translation>小文件</translation>
    </message>
    <message>
        <source>At most {peak} are on the disk at once, and {stays} stay in the end.</source>
        <translation>磁盘上最多同时占用 {peak}，最后保留 {stays}。</translation>
    </message>
    <message>
        <source>{free} are free there.</source>
        <translation>那里还有 {free} 可用。</translation>
    </message>
    <message>
        <source>There is too little room: {needed} have to be fetched, and {free} are free on that disk. Make room for {lacking} more, or choose a folder on another disk.</source>
        <translation>空间不足：需要下载 {needed}，而该磁盘只有 {free} 可用。请再腾出 {lacking}，或选择其他磁盘上的文件夹。</translation>
    </message>
    <message>
        <source>There is too little room to keep the downloaded files: {needed} more are needed, and {free} are free on that disk. Let them be deleted as they are prepared.</source>
        <translation>空间不足以保留下载的文件：还需要 {needed}，而该磁盘只有 {free} 可用。请让它们在准备好后随即删除。</translation>
    </message>
    <message>
        <source>The files can be fetched, but there is too little room to prepare the model: {needed} more are needed in all, and {free} are free on that disk. Make room for {lacking} more, or choose a folder on another disk.</source>
        <translation>文件可以下载，但空间不足以准备模型：总共还需要 {needed}，而该磁盘只有 {free} 可用。请再腾出 {lacking}，或选择其他磁盘上的文件夹。</translation>
    </message>
    <message>
        <source>Step {number} of {count}: fetching the files</source>
        <translation>第 {number} 步，共 {count} 步：下载文件</translation>
    </message>
    <message>
        <source>Step {number} of {count}: preparing the model</source>
        <translation>第 {number} 步，共 {count} 步：准备模型</translation>
    </message>
    <message>
        <source>Step {number} of {count}: making a test clip</source>
        <translation>第 {number} 步，共 {count} 步：生成测试短片</translation>
    </message>
    <message>
        <source>Paused – {step}</source>
        <translation>已暂停 – {step}</translation>
    </message>
    <message>
        <source>Stopped – {step}</source>
        <translation>已停止 – {step}</translation>
    </message>
    <message>
        <source>Fetching {percent} %</source>
        <translation>下载中 {percent}%</translation>
    </message>
    <message>
        <source>Preparing {percent} %</source>
        <translation>准备中 {percent}%</translation>
    </message>
    <message>
        <source>Testing {percent} %</source>
        <translation>测试中 {percent}%</translation>
    </message>
    <message>
        <source>Waits for the clip that is being made.</source>
        <translation>等待正在生成的短片完成。</translation>
    </message>
    <message>
        <source>{done} of {total}</source>
        <translation>{done} / {total}</translation>
    </message>
</context>
<context>
    <name>Help</name>
    <message>
        <source>Each strip is a clip of the demo model from its beginning to its end, made with the same prompt and the same seed. The real model draws other things, but its settings pull the same way.</source>
        <translation>每一条都是演示模型的一个短片，从开头到结尾，提示词和种子都相同。真正的模型画的是别的内容，但各项设置的作用方向相同。</translation>
    </message>
    <message>
        <source>The triangle hardly changes.</source>
        <translation>三角形几乎不变。</translation>
    </message>
    <message>
        <source>The triangle grows a little.</source>
        <translation>三角形略微变大。</translation>
    </message>
    <message>
        <source>How much moves. “A yellow triangle growing on a black background”: the more motion, the further it gets in the same time. Much motion costs sharpness.</source>
        <translation>画面动得多还是少。提示词说的是“黄色三角形在黑色背景上变大”：运动越多，同样的时间里变化越大。运动太多会损失清晰度。</translation>
    </message>
    <message>
        <source>How many frames a second has. Both strips show the same two seconds. At 2 a second each frame stands for half a second; at 8, frames are put in between, and the clip takes longer to make. A draft can be made smooth later and stays the same clip.</source>
        <translation>每秒有多少帧。两条都是同样的两秒。每秒 2 帧时，每一帧停留半秒；每秒 8 帧时，中间补上了帧，生成时间也更长。草稿以后可以补帧，仍是同一个短片。</translation>
    </message>
    <message>
        <source>The triangle grows in four leaps.</source>
        <translation>三角形分四次跳跃变大。</translation>
    </message>
    <message>
        <source>The triangle grows in small steps.</source>
        <translation>三角形一点一点变大。</translation>
    </message>
    <message>
        <source>How strongly the prompt pulls on the clip. Too little, and the clip forgets what was asked for; too much, and shapes and colours become harsh. Change it in small steps.</source>
        <translation>提示词对短片的牵引力。太小，短片会忘记要求；太大，形状和颜色会变得生硬。请一点一点地调整。</translation>
    </message>
    <message>
        <source>The triangle turns into something round.</source>
        <translation>三角形变成了圆的东西。</translation>
    </message>
    <message>
        <source>The triangle grows as it should.</source>
        <translation>三角形按要求变大。</translation>
    </message>
    <message>
        <source>The triangle has steps and jagged edges.</source>
        <translation>三角形出现台阶和锯齿。</translation>
    </message>
    <message>
        <source>How often the clip is refined. The time grows with the steps. Beyond some number nothing gets better; which one depends on the model and the sampler.</source>
        <translation>短片细化的次数。步数越多，用时越长。超过某个数就不会再变好；这个数取决于模型和采样器。</translation>
    </message>
    <message>
        <source>A pale triangle on a gray ground.</source>
        <translation>灰底上的浅色三角形。</translation>
    </message>
    <message>
        <source>A clear triangle on a black ground.</source>
        <translation>黑底上清晰的三角形。</translation>
    </message>
    <message>
        <source>Nearly the same triangle.</source>
        <translation>几乎相同的三角形。</translation>
    </message>
    <message>
        <source>Where chance begins. What the prompt leaves open, chance decides: these are three clips of “a triangle”. The same seed and settings give the same clip again. Lock it to try what another setting does.</source>
        <translation>随机的起点。提示词没有说明的，由随机决定：这是三个“a triangle”（三角形）短片。种子和设置相同，就会得到同一个短片。锁定种子，就能试出另一项设置的作用。</translation>
    </message>
    <message>
        <source>A purple triangle on black.</source>
        <translation>黑底上的紫色三角形。</translation>
    </message>
    <message>
        <source>A purple triangle on dark blue, which shrinks.</source>
        <translation>深蓝底上逐渐变小的紫色三角形。</translation>
    </message>
    <message>
        <source>A purple triangle on gray.</source>
        <translation>灰底上的紫色三角形。</translation>
    </message>
    <message>
        <source>How much noise is put over the first picture before it is set in motion. More lets the clip depart from it further, and lose its details. In the demo model it is hardly seen; the motion map beside Generate shows what it does with yours.</source>
        <translation>起始画面动起来之前加上多少噪声。越多，短片就越能偏离起始画面，细节也损失越多。在演示模型上几乎看不出来；“生成”旁边的运动图谱可以显示它对您的短片的作用。</translation>
    </message>
    <message>
        <source>The triangle grows by half.</source>
        <translation>三角形变大一半。</translation>
    </message>
    <message>
        <source>The triangle grows to nearly twice its size.</source>
        <translation>三角形变大近一倍。</translation>
    </message>
    <message>
        <source>The triangle grows.</source>
        <translation>三角形变大。</translation>
    </message>
    <message>
        <source>The triangle grows in nearly the same way.</source>
        <translation>三角形几乎同样地变大。</translation>
    </message>
    <message>
        <source>Say in a sentence what the clip shows, or drop a picture that it begins with, and press Generate. First a still picture is drawn, then it is set in motion, and then frames are put in between until it is smooth.</source>
        <translation>用一句英文描述短片的内容（模型只懂英文），或拖入一张图片作为开头，然后按“生成”。先画出一张静止的画面，再让它动起来，最后在帧与帧之间补帧，直到画面流畅。</translation>
    </message>
    <message>
        <source>Make a draft at 2 frames a second first: it takes the least time. If you like it, right-click it in the library and make it smooth. It stays the same clip.</source>
        <translation>先生成每秒 2 帧的草稿，耗时最少。满意的话，在素材库中右键点击它进行补帧，它仍是同一个短片。</translation>
    </message>
    <message>
        <source>The same settings and the same seed give the same clip again. Change one setting and lock the seed to see what that setting does.</source>
        <translation>设置和种子都相同，就会得到同样的短片。锁定种子，只改一项设置，就能看出这项设置的作用。</translation>
    </message>
    <message>
        <source>The demo model is a toy that shows how the application works. It knows circles, squares and triangles in six colours that move, grow, shrink or stand still on a black, gray or dark blue background, and nothing else.</source>
        <translation>演示模型只是个玩具，用来展示这个程序如何工作。它只认识六种颜色的圆形、方形和三角形：在黑色、灰色或深蓝色的背景上移动、变大、变小或静止不动。</translation>
    </message>
    <message>
        <source>Nothing that you type or make leaves this computer.</source>
        <translation>输入和生成的一切都不会离开这台电脑。</translation>
    </message>
    <message>
        <source>The demo model runs on any computer, and a clip takes seconds. What follows is about the real model.</source>
        <translation>演示模型在任何电脑上都能运行，几秒生成一个短片。以下说的是真正的模型。</translation>
    </message>
    <message>
        <source>Disk: about 40 GB are fetched, and about 30 GB stay. Up to 50 GB are there at once if the downloaded files are deleted as they are prepared, and 70 GB if they are kept. A clip of 512 × 512 pixels takes up to 20 MB, 50 MB or 170 MB at 2, 8 or 32 frames a second.</source>
        <translation>磁盘：需要下载约 40 GB，最后占用约 30 GB。边准备边删除下载的文件时，同时最多占用 50 GB；保留这些文件则是 70 GB。512 × 512 像素的短片，每秒 2、8、32 帧时最多分别占用 20 MB、50 MB、170 MB。</translation>
    </message>
    <message>
        <source>Graphics card, planned: an NVIDIA card of which 3 GB are free. A draft of 512 × 512 pixels is planned to take a few minutes there, and less on larger and faster ones. Two to three GB of main memory are needed beside it.</source>
        <translation>显卡（推算）：有 3 GB 可用显存的英伟达（NVIDIA）显卡。512 × 512 像素的草稿预计需要几分钟，更大更快的显卡用时更短。此外需要 2 到 3 GB 内存。</translation>
    </message>
    <message>
        <source>Without a card, planned: a good 4 GB of main memory, and more than three hours for the same draft.</source>
        <translation>没有显卡（推算）：需要 4 GB 多的内存，同样的草稿要三个多小时。</translation>
    </message>
    <message>
        <source>“Planned” means computed from the networks and a table of cards, before any card was tried. Beside Generate you see the same for your own clip and computer; after the first clips the time is that of clips you made.</source>
        <translation>“推算”是指根据网络结构和显卡性能表计算得出，还没有在任何显卡上试过。“生成”旁边会显示您的短片和电脑的推算结果；生成几个短片之后，时间就以它们的实际用时为准。</translation>
    </message>
    <message>
        <source>The page “Get the model” fetches the files, prepares them and makes a test clip, one after the other. It says first how much is fetched, where it goes and what stays. You can pause it, close the window and go on another day; hardly anything is fetched twice.</source>
        <translation>“获取模型”页面依次下载文件、准备文件、生成测试短片。开始之前会说明下载多少、存到哪里、最后占用多少。可以暂停、关闭窗口、改天继续；几乎不会重复下载。</translation>
    </message>
    <message>
        <source>If you have the files already, on another drive or from another program, name that folder under “Take files from”: what is there is not fetched.</source>
        <translation>如果您已经有这些文件，比如在另一个磁盘上或由其他程序下载过，请在“从这里取文件”中指定那个文件夹：已有的不再下载。</translation>
    </message>
    <message>
        <source>Clips of the real model can be added to the queue before it is there. They wait and start by themselves.</source>
        <translation>真正的模型就绪之前，就可以把它的短片加入队列。它们会等待，然后自动开始。</translation>
    </message>
    <message>
        <source>There is too little memory</source>
        <translation>内存或显存不足</translation>
    </message>
    <message>
        <source>Close other programs, above all games and browsers, and press “Try again” in the queue. Or press “Make it smaller” in the notice: it proposes the next smaller size. Where 8-bit weights would fit, the notice offers them. What is done of the clip is kept.</source>
        <translation>关闭其他程序，尤其是游戏和浏览器，然后在队列中点“重试”。也可以点通知中的“缩小尺寸”，会给出小一档的尺寸。如果 8 位权重放得下，通知会提供这个选项。已完成的部分会保留。</translation>
    </message>
    <message>
        <source>The disk is full</source>
        <translation>磁盘已满</translation>
    </message>
    <message>
        <source>The clip is paused and the queue held; the notice says how much is missing. Make room, for example by emptying the bin under the library, and press the button of the notice. Another folder for clips can be chosen in the settings.</source>
        <translation>短片和队列会暂停，通知会说明还差多少空间。请腾出空间，例如清空素材库下面的回收站，然后点通知上的按钮。在设置中可以为短片选择其他文件夹。</translation>
    </message>
    <message>
        <source>The graphics card stopped working</source>
        <translation>显卡停止工作</translation>
    </message>
    <message>
        <source>The clip goes on by itself, once. If it happens again, restart the computer and bring the card&apos;s driver up to date. In the settings, “Works on” can be the processor meanwhile.</source>
        <translation>短片会自动继续一次。如果再次发生，请重启电脑并更新显卡驱动。在此期间，可以在设置的“运算设备”中选择处理器。</translation>
    </message>
    <message>
        <source>The graphics card is not used</source>
        <translation>没有用到显卡</translation>
    </message>
    <message>
        <source>The part of the program that computes, PyTorch, may be the one for processors. The report below says so, and so does “kvdesk doctor” in a terminal, with the command that fetches the right one.</source>
        <translation>程序中负责计算的 PyTorch 可能是处理器版本。下面的报告会说明这一点；在终端中运行“kvdesk doctor”也会说明，并给出下载正确版本的命令。</translation>
    </message>
    <message>
        <source>The download stopped</source>
        <translation>下载中断</translation>
    </message>
    <message>
        <source>Nothing is lost. Look whether the computer is connected, and press “Try again” on the page “Get the model”. If the server cannot be reached from where you are, name a mirror in the settings.</source>
        <translation>不会丢失任何内容。请检查网络连接，然后在“获取模型”页面点“重试”。如果您所在的地方无法访问服务器，请在设置中填写镜像地址。</translation>
    </message>
    <message>
        <source>A picture or video is refused</source>
        <translation>图片或视频无法使用</translation>
    </message>
    <message>
        <source>Pictures may be PNG, JPEG, WebP and others, and up to a size that no camera reaches. Open it in another program and save it as PNG. The notice says what is wrong with the file.</source>
        <translation>图片可以是 PNG、JPEG、WebP 等格式，尺寸上限远超任何相机。请用其他程序打开它，另存为 PNG。通知会说明文件有什么问题。</translation>
    </message>
    <message>
        <source>A file of the model is damaged</source>
        <translation>模型文件损坏</translation>
    </message>
    <message>
        <source>The notice names the file and says what replaces it; all others stay. While the model is being prepared, “Fetch files again …” on the page “Get the model” does it. “kvdesk doctor --full” in a terminal compares every byte.</source>
        <translation>通知会给出文件名，并说明用什么替换它；其他文件保持不变。准备模型时，在“获取模型”页面点“重新下载文件…”即可。在终端中运行“kvdesk doctor --full”会比较每一个字节。</translation>
    </message>
    <message>
        <source>A clip was interrupted, or the engine does not stay alive</source>
        <translation>短片中断，或引擎反复退出</translation>
    </message>
    <message>
        <source>What is done is kept, and “Try again” in the queue goes on from there. After two ends of the same clip the queue is held: try it smaller, or remove it. If nothing helps, save a report.</source>
        <translation>已完成的部分会保留，在队列中点“重试”就从那里继续。同一个短片两次中断后，队列会暂停：请缩小尺寸再试，或移除它。如果都不行，请保存报告。</translation>
    </message>
    <message>
        <source>The clip shows something else, or only a blur</source>
        <translation>短片内容不符，或一片模糊</translation>
    </message>
    <message>
        <source>Say more plainly what is to be seen, in English, and try other seeds: “Four cousins” beside Generate makes four at once. Sizes much smaller than the model&apos;s own come out badly.</source>
        <translation>请用英文更直白地描述画面，并换几个种子试试：“生成”旁边的“四个近亲”一次生成四个。尺寸比模型本来的小很多时，效果不好。</translation>
    </message>
    <message>
        <source>Nothing is to be seen in the window</source>
        <translation>窗口里什么也看不到</translation>
    </message>
    <message>
        <source>Columns fold away where the window is narrow: the buttons at the ends of the top bar bring them back. Esc leads back to the clip from any page. Your clips are in the folder that the settings name.</source>
        <translation>窗口较窄时，两侧的栏会收起：用顶栏上的按钮可以重新打开。在任何页面按 Esc 都会回到短片。您的短片在设置中显示的文件夹里。</translation>
    </message>
</context>
<context>
    <name>HelpPage</name>
    <message>
        <source>Help and shortcuts</source>
        <translation>帮助和快捷键</translation>
    </message>
    <message>
        <source>How a clip is made</source>
        <translation>短片是怎样生成的</translation>
    </message>
    <message>
        <source>What it needs</source>
        <translation>需要什么</translation>
    </message>
    <message>
        <source>The settings, in pictures</source>
        <translation>图解各项设置</translation>
    </message>
    <message>
        <source>The real model</source>
        <translation>真正的模型</translation>
    </message>
    <message>
        <source>If something goes wrong</source>
        <translation>出现问题时</translation>
    </message>
    <message>
        <source>Keys everywhere</source>
        <translation>随处可用的按键</translation>
    </message>
    <message>
        <source>Keys in the clip</source>
        <translation>短片中的按键</translation>
    </message>
    <message>
        <source>Keys in the queue and the library</source>
        <translation>队列和素材库中的按键</translation>
    </message>
    <message>
        <source>Show the first steps again</source>
        <translation>重新显示入门步骤</translation>
    </message>
    <message>
        <source>Get the model …</source>
        <translation>获取模型…</translation>
    </message>
    <message>
        <source>What you made is kept. A report says what this computer and the program are like and what happened last. You can read it, and it is never sent.</source>
        <translation>您制作的内容都会保留。报告说明这台电脑和本程序的情况以及最近发生的事。您可以阅读它，它绝不会被发送。</translation>
    </message>
    <message>
        <source>Save a report …</source>
        <translation>保存报告…</translation>
    </message>
</context>
<context>
    <name>Job</name>
    <message>
        <source>Clip without words</source>
        <translation>没有提示词的短片</translation>
    </message>
</context>
<context>
    <name>JobQueue</name>
    <message>
        <source>Move in the queue</source>
        <translation>调整队列顺序</translation>
    </message>
    <message numerus="yes">
        <source>Add %n clip(s) to the queue</source>
        <translation>
            <numerusform>把 %n 个短片加入队列</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Remove %n clip(s) from the queue</source>
        <translation>
            <numerusform>从队列中移除 %n 个短片</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>JobTile</name>
    <message>
        <source>Being made</source>
        <translation>生成中</translation>
    </message>
    <message>
        <source>Waits</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Checking the model’s files, {percent} %</source>
        <translation>正在检查模型文件，{percent} %</translation>
    </message>
    <message>
        <source>Stopping after this step …</source>
        <translation>完成这一步后停止…</translation>
    </message>
    <message>
        <source>Starting …</source>
        <translation>正在启动…</translation>
    </message>
    <message>
        <source>Waits for the model</source>
        <translation>等待模型</translation>
    </message>
    <message>
        <source>Waits until the model is prepared</source>
        <translation>等待模型准备完毕</translation>
    </message>
    <message>
        <source>key frame only</source>
        <translation>仅关键帧</translation>
    </message>
    <message>
        <source>{rate} fps</source>
        <translation>{rate} 帧/秒</translation>
    </message>
    <message>
        <source>from a picture</source>
        <translation>从图片开始</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
</context>
<context>
    <name>LanguageCard</name>
    <message>
        <source>Which language do you read?</source>
        <translation>您想用哪种语言？</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>kvdesk makes short videos from a sentence or a picture, on this computer alone: nothing that you type or make leaves it. These three steps take a minute, and every answer can be changed in the settings later.</source>
        <translation>kvdesk 根据一句话或一张图片生成短视频，全部在这台电脑上完成：您输入和生成的内容都不会离开它。下面三步只需一分钟，每项选择以后都可以在设置中更改。</translation>
    </message>
</context>
<context>
    <name>Library</name>
    <message>
        <source>A clip that is in the queue stays: take it out of the queue first.</source>
        <translation>短片还在队列中，因此没有删除。请先把它移出队列。</translation>
    </message>
    <message>
        <source>A clip in the bin cannot be deleted.</source>
        <translation>回收站中的一个短片无法删除。</translation>
    </message>
    <message>
        <source>The star cannot be kept in the clip&apos;s folder.</source>
        <translation>无法在短片的文件夹中保存星标。</translation>
    </message>
    <message>
        <source>The clip cannot be moved to the bin. Is a file of it in use?</source>
        <translation>无法把短片移到回收站。请检查它的文件是否正在使用。</translation>
    </message>
    <message>
        <source>The clip cannot be taken out of the bin.</source>
        <translation>无法从回收站取出短片。</translation>
    </message>
    <message>
        <source>Not everything in the bin could be deleted. It is tried again later.</source>
        <translation>回收站中有些内容无法删除，稍后会再试。</translation>
    </message>
    <message>
        <source>Star clip</source>
        <translation>添加星标</translation>
    </message>
    <message>
        <source>Take star from clip</source>
        <translation>取消星标</translation>
    </message>
    <message>
        <source>Delete clip</source>
        <translation>删除短片</translation>
    </message>
    <message>
        <source>Put back clip</source>
        <translation>放回短片</translation>
    </message>
</context>
<context>
    <name>LibraryModel</name>
    <message>
        <source>starred</source>
        <translation>已加星标</translation>
    </message>
    <message>
        <source>key frame</source>
        <translation>关键帧</translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s)</source>
        <translation>
            <numerusform>%n 帧</numerusform>
        </translation>
    </message>
    <message>
        <source>{number} fps draft</source>
        <translation>{number} 帧/秒草稿</translation>
    </message>
    <message>
        <source>{number} fps</source>
        <translation>{number} 帧/秒</translation>
    </message>
    <message>
        <source>made with a newer kvdesk</source>
        <translation>由更新版本的 kvdesk 生成</translation>
    </message>
</context>
<context>
    <name>LibrarySearch</name>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>尺寸</translation>
    </message>
    <message>
        <source>With a star only</source>
        <translation>仅有星标的</translation>
    </message>
    <message>
        <source>Show the bin</source>
        <translation>显示回收站</translation>
    </message>
    <message>
        <source>All</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>with a star</source>
        <translation>有星标</translation>
    </message>
    <message>
        <source>Only: {filters}</source>
        <translation>仅显示：{filters}</translation>
    </message>
    <message>
        <source>Search words, seed, “starred”</source>
        <translation>文字、种子、“星标”</translation>
    </message>
    <message>
        <source>Search the library</source>
        <translation>搜索素材库</translation>
    </message>
    <message>
        <source>Clear the words</source>
        <translation>清除文字</translation>
    </message>
    <message>
        <source>Filter by model, size or star; show the bin</source>
        <translation>按模型、尺寸或星标筛选；显示回收站</translation>
    </message>
    <message>
        <source>Show all again</source>
        <translation>重新显示全部</translation>
    </message>
</context>
<context>
    <name>LibraryView</name>
    <message>
        <source>Nothing matches “{words}”.</source>
        <translation>没有与“{words}”相符的短片。</translation>
    </message>
    <message>
        <source>Nothing matches.</source>
        <translation>没有相符的短片。</translation>
    </message>
    <message>
        <source>Clear search</source>
        <translation>清除搜索</translation>
    </message>
    <message>
        <source>The bin is empty.</source>
        <translation>回收站是空的。</translation>
    </message>
    <message>
        <source>Your clips will be kept here.</source>
        <translation>生成的短片会保存在这里。</translation>
    </message>
    <message>
        <source>Make the first one</source>
        <translation>生成第一个短片</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>素材库</translation>
    </message>
    <message>
        <source>Clips</source>
        <translation>短片</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Something went wrong that should not have. What you made is kept. If the window behaves oddly, close it and start it again.</source>
        <translation>出现了意料之外的问题。已生成的内容都还在。如果窗口表现异常，请关闭后重新打开。</translation>
    </message>
</context>
<context>
    <name>MemoryLine</name>
    <message>
        <source>Memory is scarce: a little slower, and the pixels stay the same.</source>
        <translation>内存紧张：会稍慢一些，画面完全不变。</translation>
    </message>
    <message>
        <source>Memory is scarce: a little slower, and pixels may differ in the last digits.</source>
        <translation>内存紧张：会稍慢一些，像素的末位数值可能不同。</translation>
    </message>
    <message>
        <source>Memory is scarce: 8-bit weights, as you allowed. The pixels differ a little.</source>
        <translation>内存紧张：已按许可改用 8 位权重，画面略有不同。</translation>
    </message>
    <message>
        <source>Another program may have taken memory that the clip was using.</source>
        <translation>短片使用的内存可能被其他程序占用了。</translation>
    </message>
</context>
<context>
    <name>MemoryMeter</name>
    <message>
        <source>GPU</source>
        <translation>显卡</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>There is no graphics card to work on.</source>
        <translation>没有可用于运算的显卡。</translation>
    </message>
    <message>
        <source>{used} of {total} GB</source>
        <translation>{used} / {total} GB</translation>
    </message>
</context>
<context>
    <name>ModelActions</name>
    <message>
        <source>Keep models in</source>
        <translation>模型保存在</translation>
    </message>
    <message>
        <source>Take files from</source>
        <translation>从这里取文件</translation>
    </message>
</context>
<context>
    <name>ModelCard</name>
    <message>
        <source>What would you like to begin with?</source>
        <translation>您想从哪里开始？</translation>
    </message>
    <message>
        <source>Demo now</source>
        <translation>马上试用演示模型</translation>
    </message>
    <message>
        <source>It is part of the program and runs on any computer, a clip in seconds. It is a toy: one coloured circle, square or triangle on a plain background, in 64 × 64 pixels. It shows how everything works.</source>
        <translation>它随程序附带，在任何电脑上都能运行，几秒就能生成一个短片。它只是个玩具：在纯色背景上画一个彩色的圆形、方形或三角形，尺寸为 64 × 64 像素，用来展示一切如何运作。</translation>
    </message>
    <message>
        <source>The real model …</source>
        <translation>真正的模型…</translation>
    </message>
    <message>
        <source>Kandinsky 1.1 draws what you say. About 40 GB are fetched, and about 30 GB stay. It is planned for an NVIDIA graphics card with 3 GB or more: minutes for a clip. Without a card, a clip is planned to take more than three hours. These figures are computed, not yet measured. The next page shows everything before it begins.</source>
        <translation>Kandinsky 1.1 能画出您描述的内容。需要下载约 40 GB，最后占用约 30 GB。按推算，显存 3 GB 以上的英伟达显卡几分钟生成一个短片；没有显卡时，一个短片要三个多小时。这些数字是推算的，尚未实测。下一页会在开始之前说明一切。</translation>
    </message>
    <message>
        <source>This computer has a card that can be used: {card}.</source>
        <translation>这台电脑有可用的显卡：{card}。</translation>
    </message>
    <message>
        <source>No graphics card that can be used was found in this computer.</source>
        <translation>在这台电脑上没有找到可用的显卡。</translation>
    </message>
</context>
<context>
    <name>ModelChoices</name>
    <message>
        <source>Take nothing from {folder}</source>
        <translation>不从 {folder} 取文件</translation>
    </message>
    <message>
        <source>Models are kept in</source>
        <translation>模型保存在</translation>
    </message>
    <message>
        <source>Take files from</source>
        <translation>从这里取文件</translation>
    </message>
    <message>
        <source>A folder or a USB disk in which files of the model lie already. They are compared with their checksums, and not fetched again.</source>
        <translation>已存有模型文件的文件夹或 U 盘。这些文件会核对校验和，不再重新下载。</translation>
    </message>
    <message>
        <source>Choose another folder …</source>
        <translation>选择其他文件夹…</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>在文件夹中显示</translation>
    </message>
    <message>
        <source>Add a folder …</source>
        <translation>添加文件夹…</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message>
        <source>Delete the downloaded files as they are prepared</source>
        <translation>准备好后随即删除下载的文件</translation>
    </message>
    <message>
        <source>They are not needed any more. Each goes once what is made of it is safe.</source>
        <translation>它们不再需要。由它生成的内容安全保存之后，才会删除每个文件。</translation>
    </message>
</context>
<context>
    <name>ModelPage</name>
    <message>
        <source>Get the model</source>
        <translation>获取模型</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Fetch files again …</source>
        <translation>重新下载文件…</translation>
    </message>
    <message>
        <source>Remove for good</source>
        <translation>永久删除</translation>
    </message>
    <message>
        <source>Remove what was fetched …</source>
        <translation>删除已下载的内容…</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>Delete all downloaded files in {folder}? This cannot be undone.</source>
        <translation>要删除 {folder} 中所有已下载的文件吗？此操作无法撤销。</translation>
    </message>
    <message>
        <source>Make a test clip</source>
        <translation>生成测试短片</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Get the model ({size})</source>
        <translation>获取模型（{size}）</translation>
    </message>
    <message>
        <source>Kandinsky 1.1 draws anything that you can say. It comes from Hugging Face, is free, and runs on this computer only. Fetching it can take hours; it can be paused, and goes on after a restart.</source>
        <translation>只要说得出来，Kandinsky 1.1 就能画出来。它来自 Hugging Face，免费，并且只在这台电脑上运行。下载可能需要几个小时；可以随时暂停，重新启动后会接着进行。</translation>
    </message>
</context>
<context>
    <name>Models</name>
    <message>
        <source>Demo model</source>
        <translation>演示模型</translation>
    </message>
    <message>
        <source>{model} (not here yet)</source>
        <translation>{model}（尚未下载）</translation>
    </message>
    <message>
        <source>A toy that shows how the application works: one coloured shape on a plain background. The real model draws anything.</source>
        <translation>一个用来熟悉软件的小模型：纯色背景上的一个彩色图形。正式模型可以画任何内容。</translation>
    </message>
    <message>
        <source>The real model: it draws anything. It is not on this computer yet; clips that are added wait for it.</source>
        <translation>真正的模型：什么都能画。它还不在这台电脑上；加入的短片会等待它。</translation>
    </message>
</context>
<context>
    <name>MoreSettings</name>
    <message>
        <source>More settings</source>
        <translation>更多设置</translation>
    </message>
    <message>
        <source>Back to the model’s defaults</source>
        <translation>恢复模型默认值</translation>
    </message>
    <message>
        <source>For example: text, blurry</source>
        <translation>例如：text, blurry</translation>
    </message>
    <message>
        <source>The model’s defaults</source>
        <translation>模型默认值</translation>
    </message>
</context>
<context>
    <name>NoticeCard</name>
    <message>
        <source>Details</source>
        <translation>详情</translation>
    </message>
    <message>
        <source>Copy details</source>
        <translation>复制详情</translation>
    </message>
    <message>
        <source>Save a report …</source>
        <translation>保存报告…</translation>
    </message>
    <message>
        <source>Close this notice</source>
        <translation>关闭这条通知</translation>
    </message>
</context>
<context>
    <name>Opener</name>
    <message>
        <source>Choose a picture</source>
        <translation>选择图片</translation>
    </message>
    <message>
        <source>These are more than {limit} pictures. Choose fewer at a time.</source>
        <translation>图片超过 {limit} 张。请分几次选择。</translation>
    </message>
    <message>
        <source>The picture cannot be kept. Is there room in {folder}?</source>
        <translation>无法保存图片。请检查 {folder} 的剩余空间。</translation>
    </message>
    <message>
        <source>The clip is not in the library any more.</source>
        <translation>这个短片已不在素材库中。</translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) could not be opened. {reason}</source>
        <translation>
            <numerusform>有 %n 张图片无法打开。{reason}</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} could not be opened.</source>
        <translation>无法打开 {name}。</translation>
    </message>
</context>
<context>
    <name>Page</name>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
</context>
<context>
    <name>PictureSlot</name>
    <message>
        <source>Drop, paste or choose a picture</source>
        <translation>拖入、粘贴或选择图片</translation>
    </message>
    <message>
        <source>Choose another picture</source>
        <translation>换一张图片</translation>
    </message>
    <message>
        <source>Start without a picture</source>
        <translation>不用图片</translation>
    </message>
    <message>
        <source>Opening the picture…</source>
        <translation>正在打开图片…</translation>
    </message>
    <message>
        <source>from {width} × {height}, uses {crop_width} × {crop_height}</source>
        <translation>原图 {width} × {height}，截取 {crop_width} × {crop_height}</translation>
    </message>
</context>
<context>
    <name>PlayerCanvas</name>
    <message>
        <source>Clip</source>
        <translation>短片</translation>
    </message>
    <message>
        <source>Frame {number} cannot be read: its file is damaged or gone. The other frames are still there.</source>
        <translation>无法读取第 {number} 帧：文件已损坏或不存在。其他帧不受影响。</translation>
    </message>
    <message>
        <source>This picture cannot be read: its file is damaged or gone.</source>
        <translation>无法读取这张图片：文件已损坏或不存在。</translation>
    </message>
    <message>
        <source>{title}. Frame {number} of {total}.</source>
        <translation>{title}。第 {number} 帧，共 {total} 帧。</translation>
    </message>
</context>
<context>
    <name>PopupList</name>
    <message>
        <source>Type to search</source>
        <translation>输入文字搜索</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>搜索结果</translation>
    </message>
    <message>
        <source>Enter takes a line, Delete forgets it</source>
        <translation>回车键采用，Delete 键删除</translation>
    </message>
</context>
<context>
    <name>ProgressCard</name>
    <message>
        <source>{done} of {total} are done.</source>
        <translation>已完成 {done}，共 {total}。</translation>
    </message>
    <message>
        <source>You can make clips with the demo model meanwhile, or choose Kandinsky 1.1 above and add clips: they wait, and start by themselves. Nothing is lost when you close the window.</source>
        <translation>在此期间可以用演示模型生成短片，也可以在上方选择 Kandinsky 1.1 并添加短片：它们会等待，然后自动开始。关闭窗口不会丢失任何内容。</translation>
    </message>
    <message>
        <source>The files are checked and brought into a form that little memory can hold. Clips wait meanwhile. Nothing is lost when you close the window.</source>
        <translation>正在检查文件，并转换成占用内存很少的形式。在此期间短片会等待。关闭窗口不会丢失任何内容。</translation>
    </message>
    <message>
        <source>Everything that is done is kept, and it goes on from there.</source>
        <translation>已完成的部分都会保留，之后从那里继续。</translation>
    </message>
</context>
<context>
    <name>PromptBox</name>
    <message>
        <source>Prompts used before</source>
        <translation>用过的提示词</translation>
    </message>
    <message>
        <source>a cat in a red boat at sunset</source>
        <translation>a cat in a red boat at sunset</translation>
    </message>
    <message>
        <source>For example: {prompt}</source>
        <translation>例如：{prompt}</translation>
    </message>
    <message>
        <source>{count} of {limit} tokens: the end is not read</source>
        <translation>{count} / {limit} 个词元：超出的部分会被忽略</translation>
    </message>
    <message>
        <source>{count} of {limit} tokens</source>
        <translation>{count} / {limit} 个词元</translation>
    </message>
</context>
<context>
    <name>QueueView</name>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>显示</translation>
    </message>
    <message>
        <source>Move up</source>
        <translation>上移</translation>
    </message>
    <message>
        <source>Move down</source>
        <translation>下移</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>编辑</translation>
    </message>
    <message>
        <source>Get the model …</source>
        <translation>获取模型…</translation>
    </message>
    <message>
        <source>Queue {count}</source>
        <translation>队列 {count}</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>队列</translation>
    </message>
    <message>
        <source>Your next clips wait here. You can go on adding while one runs.</source>
        <translation>接下来要生成的短片在这里等待。生成时也可以继续添加。</translation>
    </message>
    <message>
        <source>The queue is held: go on with it</source>
        <translation>队列已暂停，点击继续</translation>
    </message>
    <message>
        <source>Hold the queue after the clip that runs</source>
        <translation>当前短片完成后暂停队列</translation>
    </message>
</context>
<context>
    <name>ReportActions</name>
    <message>
        <source>Save the report</source>
        <translation>保存报告</translation>
    </message>
    <message>
        <source>Text (*.txt)</source>
        <translation>文本 (*.txt)</translation>
    </message>
    <message>
        <source>The report could not be saved: {reason}. Choose another folder.</source>
        <translation>报告无法保存：{reason}。请选择其他文件夹。</translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation>已保存为 {name}。</translation>
    </message>
</context>
<context>
    <name>ReportPage</name>
    <message>
        <source>Report of a problem</source>
        <translation>问题报告</translation>
    </message>
    <message>
        <source>This text helps whoever looks into the problem. It is saved as a file on this computer and never sent. Names, folders and files of yours were taken out: read it before you give it to anybody.</source>
        <translation>这段文字有助于查找问题。它以文件形式保存在这台电脑上，绝不会被发送。您的姓名、文件夹和文件名都已去除：交给别人之前请先阅读。</translation>
    </message>
    <message>
        <source>Put my prompts in</source>
        <translation>包含我的提示词</translation>
    </message>
    <message>
        <source>The report</source>
        <translation>报告</translation>
    </message>
    <message>
        <source>Save the report …</source>
        <translation>保存报告…</translation>
    </message>
</context>
<context>
    <name>ResultCard</name>
    <message>
        <source>Kandinsky 1.1 is ready</source>
        <translation>Kandinsky 1.1 已就绪</translation>
    </message>
    <message>
        <source>First picture of the test clip</source>
        <translation>测试短片的第一帧</translation>
    </message>
    <message>
        <source>It lies in {folder}.</source>
        <translation>它位于 {folder}。</translation>
    </message>
    <message>
        <source>It was not tested on this computer yet. A test clip takes about ten seconds, and tells how long clips will take.</source>
        <translation>它还没有在这台电脑上测试过。测试短片大约需要十秒，可以由此得知生成短片要多久。</translation>
    </message>
    <message>
        <source>The test clip of {frames} frames, {width} × {height}, took {seconds} s on {device}. All numbers were as they should be.</source>
        <translation>测试短片共 {frames} 帧，{width} × {height}，在{device}上用了 {seconds} 秒。所有数值都正常。</translation>
    </message>
    <message>
        <source>the processor</source>
        <translation>处理器</translation>
    </message>
</context>
<context>
    <name>Runner</name>
    <message>
        <source>“{title}” was not made. {reason}</source>
        <translation>“{title}”没有生成。{reason}</translation>
    </message>
    <message>
        <source>Make it smaller</source>
        <translation>缩小尺寸</translation>
    </message>
    <message>
        <source>“{title}” needs more memory than is free, but would fit with 8-bit weights. These are a little less exact than the model&apos;s own, and what is done of the clip is kept.</source>
        <translation>“{title}”需要的内存超过了空闲内存，但改用 8 位权重就能放下。8 位权重不如模型原来的精确；短片已完成的部分会保留。</translation>
    </message>
    <message>
        <source>Go on with 8-bit weights</source>
        <translation>用 8 位权重继续</translation>
    </message>
    <message>
        <source>“{title}” was interrupted. {reason} It goes on from where it was as soon as the engine has started again.</source>
        <translation>“{title}”中断了。{reason}引擎重新启动后会从中断处继续。</translation>
    </message>
    <message>
        <source>“{title}” was interrupted twice. {reason} The queue is held, so that you can look into it: try the clip again, make it smaller, or remove it.</source>
        <translation>“{title}”中断了两次。{reason}队列已暂停，以便处理：可以重试、缩小尺寸或移除这个短片。</translation>
    </message>
    <message>
        <source>“{title}” is paused, and the queue is held. {reason}</source>
        <translation>“{title}”已暂停，队列也已暂停。{reason}</translation>
    </message>
    <message>
        <source>The engine does not stay alive, so no clips can be made. {reason}</source>
        <translation>引擎反复停止，无法生成短片。{reason}</translation>
    </message>
    <message>
        <source>Start it again</source>
        <translation>重新启动</translation>
    </message>
    <message numerus="yes">
        <source>%n clip(s) from last time wait in the queue.</source>
        <translation>
            <numerusform>队列中有上次留下的 %n 个短片在等待。</numerusform>
        </translation>
    </message>
    <message>
        <source>Go on with the queue</source>
        <translation>继续处理队列</translation>
    </message>
</context>
<context>
    <name>ScrubSlider</name>
    <message>
        <source>Frame {number} of {total}</source>
        <translation>第 {number} 帧，共 {total} 帧</translation>
    </message>
</context>
<context>
    <name>SeedChip</name>
    <message>
        <source>seed {number}</source>
        <translation>种子 {number}</translation>
    </message>
    <message>
        <source>Where chance begins: the same seed gives the same clip. Click to type one.</source>
        <translation>随机的起点：种子相同，短片就相同。点击可输入。</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Take a new seed for every clip</source>
        <translation>每个短片换一个新种子</translation>
    </message>
    <message>
        <source>Keep this seed for the next clips</source>
        <translation>后面的短片沿用这个种子</translation>
    </message>
    <message>
        <source>Take another seed</source>
        <translation>换一个种子</translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>System</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>The model in use has its weights in one form only, so that nothing changes. “kvdesk prepare” with “--8bit” adds the other one.</source>
        <translation>当前模型只有一种权重，因此选择不起作用。用“kvdesk prepare”加“--8bit”可以添加另一种。</translation>
    </message>
    <message>
        <source>8 bit is taken where the exact weights do not fit; clips come out a little different.</source>
        <translation>精确权重放不下时才用 8 位；生成的短片会略有不同。</translation>
    </message>
    <message>
        <source>8 bit is taken where the exact weights do not fit; clips come out a little different. In the model in use, these weights are off by {percent} % on average.</source>
        <translation>精确权重放不下时才用 8 位；生成的短片会略有不同。当前模型的 8 位权重平均误差为 {percent}%。</translation>
    </message>
    <message>
        <source>Weights of the networks</source>
        <translation>网络的权重</translation>
    </message>
    <message>
        <source>{device} (not found)</source>
        <translation>{device}（未找到）</translation>
    </message>
    <message>
        <source>Exact</source>
        <translation>精确</translation>
    </message>
    <message>
        <source>8 bit</source>
        <translation>8 位</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>颜色</translation>
    </message>
    <message>
        <source>Size of text</source>
        <translation>文字大小</translation>
    </message>
    <message>
        <source>Works on</source>
        <translation>运算设备</translation>
    </message>
    <message>
        <source>Automatic takes a graphics card where there is one.</source>
        <translation>“自动”会在有显卡时使用显卡。</translation>
    </message>
    <message>
        <source>Clips are kept in</source>
        <translation>短片保存位置</translation>
    </message>
    <message>
        <source>Clips that are there already stay where they are.</source>
        <translation>已有的短片仍留在原处。</translation>
    </message>
    <message>
        <source>Models are kept in</source>
        <translation>模型保存在</translation>
    </message>
    <message>
        <source>Models that are in the former folder stay there, and are not used any more.</source>
        <translation>原文件夹中的模型留在原处，不再使用。</translation>
    </message>
    <message>
        <source>Choose another folder …</source>
        <translation>选择其他文件夹…</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>在文件夹中显示</translation>
    </message>
    <message>
        <source>Get the model …</source>
        <translation>获取模型…</translation>
    </message>
    <message>
        <source>Reduce motion</source>
        <translation>减少动态效果</translation>
    </message>
    <message>
        <source>Nothing plays by itself.</source>
        <translation>不自动播放任何内容。</translation>
    </message>
    <message>
        <source>Say when a clip is ready</source>
        <translation>短片完成时通知</translation>
    </message>
    <message>
        <source>If it took a while and another window is in front.</source>
        <translation>仅在耗时较长且正在使用其他窗口时。</translation>
    </message>
</context>
<context>
    <name>Shortcuts</name>
    <message>
        <source>Generate</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>Go to the prompt</source>
        <translation>转到提示词</translation>
    </message>
    <message>
        <source>Choose a picture to start from</source>
        <translation>选择起始图片</translation>
    </message>
    <message>
        <source>Go to the queue</source>
        <translation>转到队列</translation>
    </message>
    <message>
        <source>Search the library</source>
        <translation>搜索素材库</translation>
    </message>
    <message>
        <source>Go to the clip</source>
        <translation>转到短片</translation>
    </message>
    <message>
        <source>Pause the clip that is made</source>
        <translation>暂停正在生成的短片</translation>
    </message>
    <message>
        <source>Cancel the clip that is made</source>
        <translation>取消正在生成的短片</translation>
    </message>
    <message>
        <source>Export the clip that is shown</source>
        <translation>导出当前显示的短片</translation>
    </message>
    <message>
        <source>Compare two clips</source>
        <translation>对比两个短片</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>重做</translation>
    </message>
    <message>
        <source>Help and shortcuts</source>
        <translation>帮助和快捷键</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Back to the clip</source>
        <translation>返回短片</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>空格键</translation>
    </message>
    <message>
        <source>Play or pause</source>
        <translation>播放或暂停</translation>
    </message>
    <message>
        <source>One frame back or on</source>
        <translation>后退或前进一帧</translation>
    </message>
    <message>
        <source>Home, End</source>
        <translation>Home、End</translation>
    </message>
    <message>
        <source>First or last frame</source>
        <translation>第一帧或最后一帧</translation>
    </message>
    <message>
        <source>Once, loop or boomerang</source>
        <translation>播放一次、循环或往返</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>全屏</translation>
    </message>
    <message>
        <source>Save the frame</source>
        <translation>保存这一帧</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>回车键</translation>
    </message>
    <message>
        <source>Show the clip</source>
        <translation>显示短片</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Delete</translation>
    </message>
    <message>
        <source>Remove, with undo</source>
        <translation>移除，可撤销</translation>
    </message>
    <message>
        <source>Move a job of the queue up or down</source>
        <translation>在队列中上移或下移</translation>
    </message>
    <message>
        <source>Star a clip</source>
        <translation>为短片加星标</translation>
    </message>
    <message>
        <source>Menu key</source>
        <translation>菜单键</translation>
    </message>
    <message>
        <source>Everything else</source>
        <translation>其他操作</translation>
    </message>
</context>
<context>
    <name>SizePicker</name>
    <message>
        <source>square</source>
        <translation>方形</translation>
    </message>
    <message>
        <source>wide</source>
        <translation>横向</translation>
    </message>
    <message>
        <source>tall</source>
        <translation>纵向</translation>
    </message>
    <message>
        <source>other</source>
        <translation>其他</translation>
    </message>
    <message>
        <source>{width} × {height}</source>
        <translation>{width} × {height}</translation>
    </message>
    <message>
        <source>Any width and height</source>
        <translation>任意宽度和高度</translation>
    </message>
    <message>
        <source>Swap width and height</source>
        <translation>宽高互换</translation>
    </message>
    <message>
        <source>Width in pixels</source>
        <translation>宽度（像素）</translation>
    </message>
    <message>
        <source>Height in pixels</source>
        <translation>高度（像素）</translation>
    </message>
    <message>
        <source>In steps of {step} pixels</source>
        <translation>以 {step} 像素为一档</translation>
    </message>
</context>
<context>
    <name>SmoothButton</name>
    <message>
        <source>Smooth</source>
        <translation>补帧</translation>
    </message>
    <message>
        <source>Make the clip smoother</source>
        <translation>让短片更流畅</translation>
    </message>
    <message>
        <source>Put frames in between; what is there is not made again</source>
        <translation>在帧与帧之间补帧，已有的帧不会重新生成</translation>
    </message>
    <message>
        <source>{rate} frames a second</source>
        <translation>每秒 {rate} 帧</translation>
    </message>
</context>
<context>
    <name>StageView</name>
    <message>
        <source>The clip that is made</source>
        <translation>正在生成的短片</translation>
    </message>
    <message>
        <source>key frame</source>
        <translation>关键帧</translation>
    </message>
    <message>
        <source>preview</source>
        <translation>预览</translation>
    </message>
    <message>
        <source>preview · step {step} of {total}</source>
        <translation>预览 · 第 {step} 步，共 {total} 步</translation>
    </message>
    <message>
        <source>Getting ready …</source>
        <translation>正在准备…</translation>
    </message>
    <message>
        <source>Reading the prompt …</source>
        <translation>正在读取提示词…</translation>
    </message>
    <message>
        <source>The first picture is on its way …</source>
        <translation>第一张画面即将出现…</translation>
    </message>
    <message>
        <source>Show the finished clip</source>
        <translation>显示完成的短片</translation>
    </message>
    <message>
        <source>Back to the running clip</source>
        <translation>返回正在生成的短片</translation>
    </message>
    <message>
        <source>Begin a new clip with this frame</source>
        <translation>以这一帧开始新短片</translation>
    </message>
    <message>
        <source>Save this frame as a picture</source>
        <translation>把这一帧保存为图片</translation>
    </message>
    <message>
        <source>Compare with another clip</source>
        <translation>与另一个短片对比</translation>
    </message>
    <message>
        <source>Export the clip</source>
        <translation>导出短片</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>全屏</translation>
    </message>
</context>
<context>
    <name>Stages</name>
    <message>
        <source>Text</source>
        <translation>文字</translation>
    </message>
    <message>
        <source>Key frame</source>
        <translation>关键帧</translation>
    </message>
    <message>
        <source>Motion</source>
        <translation>运动</translation>
    </message>
    <message>
        <source>Smooth</source>
        <translation>补帧</translation>
    </message>
    <message>
        <source>Decode</source>
        <translation>解码</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
</context>
<context>
    <name>Studio</name>
    <message>
        <source>The model {name} is not there any more. The one in use stays.</source>
        <translation>模型 {name} 已不存在，继续使用当前模型。</translation>
    </message>
    <message>
        <source>This is the smallest size already. Close other programs that use the graphics card, or choose fewer frames a second.</source>
        <translation>已经是最小尺寸。请关闭其他使用显卡的程序，或选择更低的帧率。</translation>
    </message>
    <message>
        <source>Make it smaller</source>
        <translation>缩小尺寸</translation>
    </message>
</context>
<context>
    <name>Submitter</name>
    <message>
        <source>The clip begins with your picture, so there are none to pick from. Take the picture out of the form first.</source>
        <translation>短片以所选图片开头，因此没有图片可挑选。请先移除图片。</translation>
    </message>
    <message>
        <source>Change a clip of the queue</source>
        <translation>修改队列中的短片</translation>
    </message>
    <message numerus="yes">
        <source>%n of them cannot be made. {reason}</source>
        <translation>
            <numerusform>其中 %n 个无法生成。{reason}</numerusform>
        </translation>
    </message>
    <message>
        <source>The clip is not in the library any more.</source>
        <translation>这个短片已不在素材库中。</translation>
    </message>
    <message>
        <source>A newer kvdesk made this clip. Use that one to go on with it.</source>
        <translation>这个短片由更新版本的 kvdesk 生成。请用那个版本继续处理。</translation>
    </message>
    <message>
        <source>The clip is in the queue already.</source>
        <translation>这个短片已在队列中。</translation>
    </message>
    <message>
        <source>The clip is that smooth already.</source>
        <translation>这个短片已经这样流畅了。</translation>
    </message>
    <message>
        <source>The clip that you were changing has started or was removed. Its settings stay in the form, and Generate makes a new clip of them.</source>
        <translation>正在修改的短片已开始生成或已被移除。它的设置仍保留在左侧，按“生成”会用它们生成新短片。</translation>
    </message>
</context>
<context>
    <name>TimeLeft</name>
    <message>
        <source>Stopping …</source>
        <translation>正在停止…</translation>
    </message>
    <message>
        <source>Time left not known yet</source>
        <translation>剩余时间尚不清楚</translation>
    </message>
    <message>
        <source>Almost done</source>
        <translation>即将完成</translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation>还需{time}</translation>
    </message>
</context>
<context>
    <name>Timeline</name>
    <message>
        <source>Progress of the clip</source>
        <translation>短片的进度</translation>
    </message>
    <message>
        <source>{words}. Stage {number} of {total}.</source>
        <translation>{words}。第 {number} 阶段，共 {total} 个阶段。</translation>
    </message>
    <message>
        <source>{stage}: done</source>
        <translation>{stage}：已完成</translation>
    </message>
    <message>
        <source>{stage}: later</source>
        <translation>{stage}：未开始</translation>
    </message>
    <message>
        <source>{stage}: at work</source>
        <translation>{stage}：进行中</translation>
    </message>
    <message>
        <source>{stage}: step {done} of {total}</source>
        <translation>{stage}：第 {done} 步，共 {total} 步</translation>
    </message>
</context>
<context>
    <name>TopBar</name>
    <message>
        <source>Looking for models …</source>
        <translation>正在查找模型…</translation>
    </message>
    <message>
        <source>Model: {name}</source>
        <translation>模型：{name}</translation>
    </message>
    <message>
        <source>Undo {what}</source>
        <translation>撤销 {what}</translation>
    </message>
    <message>
        <source>Redo {what}</source>
        <translation>重做 {what}</translation>
    </message>
    <message>
        <source>What to make</source>
        <translation>制作内容</translation>
    </message>
    <message>
        <source>Queue and library</source>
        <translation>队列和素材库</translation>
    </message>
    <message>
        <source>Help and shortcuts</source>
        <translation>帮助和快捷键</translation>
    </message>
    <message>
        <source>The real model is on its way: show how far it is</source>
        <translation>正在获取真正的模型：查看进度</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Get the model …</source>
        <translation>获取模型…</translation>
    </message>
    <message>
        <source>The engine is starting.</source>
        <translation>引擎正在启动。</translation>
    </message>
    <message>
        <source>The engine is ready.</source>
        <translation>引擎已就绪。</translation>
    </message>
    <message>
        <source>The engine has stopped.</source>
        <translation>引擎已停止。</translation>
    </message>
    <message>
        <source>The engine does not start.</source>
        <translation>引擎无法启动。</translation>
    </message>
</context>
<context>
    <name>Transport</name>
    <message>
        <source>Frame</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>One frame back</source>
        <translation>后退一帧</translation>
    </message>
    <message>
        <source>One frame on</source>
        <translation>前进一帧</translation>
    </message>
    <message>
        <source>Compare with another clip</source>
        <translation>与另一个短片对比</translation>
    </message>
    <message>
        <source>Begin a new clip with this frame</source>
        <translation>以这一帧开始新短片</translation>
    </message>
    <message>
        <source>Save this frame as a picture</source>
        <translation>把这一帧保存为图片</translation>
    </message>
    <message>
        <source>Export the clip</source>
        <translation>导出短片</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>全屏</translation>
    </message>
    <message>
        <source>Pause: free the memory and go on later</source>
        <translation>暂停：释放内存，稍后继续</translation>
    </message>
    <message>
        <source>Stop now</source>
        <translation>立即停止</translation>
    </message>
    <message>
        <source>It stops after this step. Press again to end it at once.</source>
        <translation>完成这一步后停止。再按一次立即结束。</translation>
    </message>
    <message>
        <source>Cancel the clip that is made</source>
        <translation>取消正在生成的短片</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>播放</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>空格键</translation>
    </message>
    <message>
        <source>Plays once</source>
        <translation>播放一次</translation>
    </message>
    <message>
        <source>Plays in a loop</source>
        <translation>循环播放</translation>
    </message>
    <message>
        <source>Plays forwards and backwards</source>
        <translation>往返播放</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速度</translation>
    </message>
    <message>
        <source>Speed: {speed}</source>
        <translation>速度：{speed}</translation>
    </message>
</context>
<context>
    <name>Wiring</name>
    <message>
        <source>Take an example</source>
        <translation>采用示例</translation>
    </message>
    <message>
        <source>Take values of the motion map</source>
        <translation>采用运动图谱的数值</translation>
    </message>
    <message>
        <source>A clip is being made.</source>
        <translation>正在生成短片。</translation>
    </message>
    <message>
        <source>A model is being fetched and prepared.</source>
        <translation>正在下载并准备模型。</translation>
    </message>
    <message>
        <source>Your clip is ready</source>
        <translation>短片已完成</translation>
    </message>
    <message>
        <source>Kandinsky 1.1 is ready</source>
        <translation>Kandinsky 1.1 已就绪</translation>
    </message>
</context>
<context>
    <name>WorkerDeath</name>
    <message>
        <source>The engine could not be started: {program} is missing or may not be run. Install kvdesk again.</source>
        <translation>引擎无法启动：{program} 不存在或不允许运行。请重新安装 kvdesk。</translation>
    </message>
    <message>
        <source>The engine belongs to another version of kvdesk. Both sides must come from the same installation: install kvdesk again.</source>
        <translation>引擎属于另一个版本的 kvdesk。两者必须来自同一次安装，请重新安装 kvdesk。</translation>
    </message>
    <message>
        <source>The graphics card reported a fault, after which the engine has to start anew. If it happens again, a newer graphics driver may help.</source>
        <translation>显卡报告了故障，引擎需要重新启动。如果再次发生，更新显卡驱动或许有用。</translation>
    </message>
    <message>
        <source>The engine was stopped at once and is starting again.</source>
        <translation>引擎已立即停止，正在重新启动。</translation>
    </message>
    <message>
        <source>The engine did not react any more and was ended. If it happens again, starting the computer anew or a newer graphics driver may help.</source>
        <translation>引擎不再响应，已被结束。如果再次发生，重新启动电脑或更新显卡驱动程序可能会有帮助。</translation>
    </message>
    <message>
        <source>The system stopped the engine, possibly because the computer ran out of memory. Close other programs or choose a smaller size, then try again.</source>
        <translation>系统终止了引擎，可能是因为内存不足。请关闭其他程序或选择更小的尺寸，然后重试。</translation>
    </message>
    <message>
        <source>Another program or the system stopped the engine. Try again.</source>
        <translation>其他程序或系统终止了引擎。请重试。</translation>
    </message>
    <message>
        <source>The engine stopped before a file could run a program of its own. Nothing of it was run. Do not use this model; the details name what the file asked for.</source>
        <translation>有一个文件试图运行自带的程序，引擎在此之前已停止，没有运行其中任何内容。请不要使用这个模型；详细信息中写明了该文件的要求。</translation>
    </message>
    <message>
        <source>The engine crashed ({name}). Try again. If it happens again, a newer graphics driver may help.</source>
        <translation>引擎崩溃了（{name}）。请重试。如果再次发生，更新显卡驱动或许有用。</translation>
    </message>
    <message>
        <source>The engine ended by itself with the code {code}. Try again. If it happens again, the details say more.</source>
        <translation>引擎自行退出，代码为 {code}。请重试。如果再次发生，可在详情中了解更多。</translation>
    </message>
</context>
</TS>
